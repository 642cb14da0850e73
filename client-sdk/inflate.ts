/** A deflated message's frame (RFC 1951), by the platform's own inflater. */

/** @throws TypeError where the bytes are not what they should be */
export const inflate = async (message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
  new Uint8Array(
    await new Response(
      new Blob([message.subarray(1)]).stream().pipeThrough(new DecompressionStream("deflate-raw")),
    ).arrayBuffer(),
  );
