/** A product's picture in a square that is there before the picture is; a drawn box stands in for a missing one. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "./icons.tsx";

export function Picture(props: { url: string; sizePx: number }): JSX.Element {
  const { url, sizePx } = props;
  const [failedUrl, setFailedUrl] = useState("");
  const square = { width: `${sizePx}px`, height: `${sizePx}px` };
  if (url === "" || url === failedUrl) {
    return (
      <span class="picture none" style={square}>
        <Icon name="box" size={Math.round(sizePx * 0.44)} weight={1.25} />
      </span>
    );
  }
  return (
    <span class="picture" style={square}>
      <img
        src={url}
        alt=""
        width={sizePx}
        height={sizePx}
        decoding="async"
        onError={() => setFailedUrl(url)}
      />
    </span>
  );
}
