/** The part of a pino logger that the media side uses. Info: one line per step of a life; nothing that fires per packet or ask. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}
