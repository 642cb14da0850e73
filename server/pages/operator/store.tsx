/** What the whole rests on: Redis, the sweeper, the payment provider. */
import type { JSX } from "preact";
import { bytes, count, duration } from "../shared/figures.ts";
import type { Ops } from "./ops.ts";
import { say } from "./words.ts";

export function Store(props: { ops: Ops }): JSX.Element {
  const { redis, sweeperLagMs, payments } = props.ops;
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>{say("store")}</h2>
      </div>
      <dl class="facts">
        {redis !== undefined && (
          <>
            <Fact word={say("version")} metric="redis.version" value={redis.version} />
            <Fact word={say("fsync")} metric="redis.appendfsync" value={redis.appendfsync} />
            <Fact
              word={say("memory")}
              metric="dropcast_redis_memory_bytes"
              value={bytes(redis.usedMemoryBytes)}
            />
            <Fact
              word={say("opsPerSecond")}
              metric="dropcast_redis_ops_per_second"
              value={count(redis.opsPerSecond)}
            />
            <Fact
              word={say("clients")}
              metric="dropcast_redis_clients"
              value={count(redis.clients)}
            />
          </>
        )}
        {sweeperLagMs !== undefined && (
          <Fact
            word={say("sweep")}
            metric="dropcast_sweeper_lag_seconds"
            value={duration(sweeperLagMs)}
          />
        )}
        {payments !== undefined &&
          (["inFlight", "paid", "declined", "refunded"] as const).map((outcome) => (
            <Fact
              key={outcome}
              word={say(outcome)}
              metric={`dropcast_payments{outcome="${outcome === "inFlight" ? "in_flight" : outcome}"}`}
              value={count(payments[outcome])}
            />
          ))}
      </dl>
    </section>
  );
}

function Fact(props: { word: string; metric: string; value: string }): JSX.Element {
  return (
    <div title={props.metric}>
      <dt>{props.word}</dt>
      <dd>{props.value}</dd>
    </div>
  );
}
