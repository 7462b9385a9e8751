/** What may go wrong, by name. A code is for programs; the message tells a person what happened, why, and what to do. */
export type ErrorCode =
  /** The caller's AbortSignal fired. */
  | 'aborted'
  /** No answer within the deadline. */
  | 'timeout'
  /** The link, node or store was closed while the work was under way. */
  | 'closed'
  /** The other node answered, and said no. */
  | 'refused'
  /** No path to the other node: no introducer, or its network does not let us in. */
  | 'unreachable'
  /** The other node answers through others, but no direct connection to it opens. */
  | 'no-path'
  /** Nobody asked has it. */
  | 'not-found'
  /** Its owner took it off. */
  | 'withdrawn'
  /** Bytes that do not match the hash or the signature they came under. */
  | 'corrupt'
  /** Bytes or arguments that do not have the required form. */
  | 'invalid'
  /** Larger than the limit says. */
  | 'too-large'
  /** The disk, or our share of it, is full. */
  | 'quota'
  /** The media file can't be read or played. */
  | 'unsupported'
  /** This browser lacks something that is needed. */
  | 'missing-feature'
  /** A defect of ours: should never be seen. */
  | 'internal';

/** The one error class. Make it by `fail(code, message)`; test it by `hasCode(error, code)`. */
export class KadreelError extends Error {
  override readonly name = 'KadreelError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** A new error, to be thrown or to reject with. */
export function fail(code: ErrorCode, message: string, cause?: unknown): KadreelError {
  return new KadreelError(code, message, cause);
}

/** True for an error of ours with that code. */
export function hasCode(error: unknown, code: ErrorCode): error is KadreelError {
  return error instanceof KadreelError && error.code === code;
}

/** The same failure as a KadreelError; what is not one yet becomes `internal` with its own message kept. */
export function asKadreelError(error: unknown): KadreelError {
  if (error instanceof KadreelError) return error;
  return fail('internal', error instanceof Error ? error.message : String(error), error);
}

/** For the branch of a union that can't exist: the compiler complains when one is forgotten. */
export function assertNever(value: never): never {
  throw fail('internal', `unexpected variant: ${JSON.stringify(value)}`);
}
