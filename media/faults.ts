/**
 * The media side's three kinds of no. A `MediaFault` answers one ask with a code of the wire's registry and a reason for
 * the log. `PortTaken` ends a start. Anything else is a bug.
 */
import type { FailureCode } from "#wire";

export class MediaFault extends Error {
  override readonly name = "MediaFault";
  readonly code: FailureCode;
  readonly why: string;
  constructor(code: FailureCode, why: string, cause?: unknown) {
    super(`${code}: ${why}`, { cause });
    this.code = code;
    this.why = why;
  }
}

/** Another program (often an earlier Dropcast) has the worker's port. */
export class PortTaken extends Error {
  override readonly name = "PortTaken";
  readonly port: number;
  constructor(port: number, cause?: unknown) {
    super(
      `Media port ${port} (UDP and TCP) is taken: stop what uses it, or set RTC_PORT to another.`,
      { cause },
    );
    this.port = port;
  }
}
