import { IotmanoError, type ErrorKind } from '../kernel/index.ts';

/** Exit codes of `iotmano`, for scripts. Listed in `iotmano --help`. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  unauthorized: 4,
  notFound: 5,
  conflict: 6,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What ends a command: a sentence for a person and a code for a script. */
export class CliFailure extends Error {
  readonly exitCode: ExitCode;
  readonly details: readonly string[];

  constructor(exitCode: ExitCode, message: string, details: readonly string[] = []) {
    super(message);
    this.name = 'CliFailure';
    this.exitCode = exitCode;
    this.details = details;
  }
}

const EXIT_BY_KIND: Readonly<Record<ErrorKind, ExitCode>> = {
  invalid: EXIT.usage,
  unauthorized: EXIT.unauthorized,
  forbidden: EXIT.unauthorized,
  notFound: EXIT.notFound,
  conflict: EXIT.conflict,
  capacity: EXIT.conflict,
  transient: EXIT.unreachable,
  terminal: EXIT.failed,
};

/** The exit code of whatever ended a command that runs in this process: an orchestrator, an agent, a check. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliFailure) return error.exitCode;
  if (!(error instanceof IotmanoError)) return EXIT.failed;
  return error.code === 'store-locked' ? EXIT.conflict : EXIT_BY_KIND[error.kind];
}
