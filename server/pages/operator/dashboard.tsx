/** The page, put together: the verdict on top, four charts with one cursor, then the tables. */
import type { JSX } from "preact";
import { LangButton } from "../shared/lang-button.tsx";
import { Charts } from "./charts.tsx";
import { DropsTable } from "./drops-table.tsx";
import { MediaTable, NodesTable } from "./nodes-table.tsx";
import type { OpsFeed } from "./ops.ts";
import { RefusalsTable } from "./refusals-table.tsx";
import { ShowsTable } from "./shows-table.tsx";
import { Store } from "./store.tsx";
import { Verdict } from "./verdict.tsx";
import { say } from "./words.ts";

export function Dashboard(props: { feed: OpsFeed }): JSX.Element {
  const { feed } = props;
  const ops = feed.now.value;
  return (
    <div class="ops">
      <header class="ops-head">
        <h1>
          <b>Dropcast</b> {say("title")}
        </h1>
        <nav>
          <a href="/metrics">{say("metricsLink")}</a>
          <a href="/docs">{say("docsLink")}</a>
          <LangButton />
        </nav>
      </header>
      <main>
        <Verdict feed={feed} />
        <Charts feed={feed} />
        {ops !== undefined && (
          <>
            <DropsTable ops={ops} />
            <div class="ops-two">
              <ShowsTable ops={ops} />
              <RefusalsTable ops={ops} />
              <Store ops={ops} />
            </div>
            <NodesTable ops={ops} />
            <MediaTable ops={ops} />
          </>
        )}
      </main>
    </div>
  );
}
