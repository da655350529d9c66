import { NotApplicable } from '../case.ts';
import type { AssignmentWish, Schemas } from './ledger.ts';
import { createPlayedStream, type PlayedStream } from './played-streams.ts';
import type { AgentStage } from './stage.ts';
import { wishOf } from './workload.ts';

type Request = Schemas['diagnostic-request'];

const MAX_BYTES = 16_777_216;
const MAX_SECONDS = 600;
/** A variable of the environment that functions have of their own. */
export const MARK = 'KIT_MARK';

/** The workload that runs, with something in its environment that is its own, alone. */
export async function runMarked(stage: AgentStage): Promise<AssignmentWish> {
  await stage.calm();
  const { runs } = stage.workload;
  const name = stage.newName();
  const wish = wishOf(name, { ...runs, env: { ...runs.env, [MARK]: `mark-${name}` } });
  stage.assign(wish);
  await stage.until('the workload is reported as RUNNING', () => stage.isRunning(wish));
  return wish;
}

/** What a command beside it sees in its environment. */
export function markOf({ workload }: AssignmentWish): string {
  return workload.spec.env[MARK] ?? '';
}

/** @throws NotApplicable where the host has no shell for it */
export function script({ workload: { shell } }: AgentStage, text: string): string[] {
  if (shell !== undefined) return [...shell, text];
  throw new NotApplicable(
    'needs a POSIX shell beside the workload that runs: give it as "shell" in the file of --workload',
  );
}

/** Asks for something of a workload, beside what is asked for already. */
export function ask(
  stage: AgentStage,
  { workload: { key } }: AssignmentWish,
  wish: Pick<Request, 'kind'> & Partial<Request>,
  input = '',
): PlayedStream {
  const { ledger } = stage;
  const stream = createPlayedStream(ledger.ids.uuid(), input);
  const request: Request = {
    streamId: stream.streamId,
    workload: key,
    slot: 0,
    maxBytes: MAX_BYTES,
    maxSeconds: MAX_SECONDS,
    ...(input === '' ? {} : { hasInput: true }),
    ...wish,
  };
  ledger.streams.set(stream.streamId, stream);
  ledger.requests = [...ledger.requests, request];
  ledger.revision += 1;
  return stream;
}
