import type { Duplex } from 'node:stream';
import type { Clock } from '../../kernel/index.ts';
import type { CommandEvent, CommandOptions } from '../contract.ts';
import { COMMAND_MARK, endMarked } from '../supervision/index.ts';
import type { Engine } from './engine.ts';
import { startFault } from './slot-record.ts';

const WHAT = 'run a command in a container';
const HEADER_BYTES = 8;
const BEGINNING_CHARACTERS = 500;
/** Earlier engines give 126 for whatever they could not start. */
const NOT_STARTED = /^OCI runtime exec failed/;
const ENDED_LOOK_MILLISECONDS = 20;

/** A command beside the program of a container, with its environment, files and bounds. @param name of this command alone */
export async function* commandInside(
  engine: Engine,
  containerId: string,
  name: string,
  { command, input, signal }: Pick<CommandOptions, 'command' | 'input' | 'signal'>,
  clock: Clock,
): AsyncGenerator<CommandEvent> {
  const mark = `${COMMAND_MARK}=${name}`;
  const hasInput = input !== undefined;
  const { Id } = await engine.request<{ Id: string }>({
    method: 'POST',
    path: `/containers/${containerId}/exec`,
    body: { Cmd: command, Env: [mark], AttachStdin: hasInput, AttachStdout: true, AttachStderr: true },
    what: WHAT,
    signal,
  });
  let connection: Duplex | undefined;
  let hasEnded = false;
  try {
    connection = await engine.attach({
      method: 'POST',
      path: `/exec/${Id}/start`,
      body: { Detach: false, Tty: false },
      what: WHAT,
      signal,
    });
    if (input === undefined) connection.end();
    else void feed(connection, input);
    const plain = yield* framesOf(connection);
    if (signal.aborted) {
      yield { type: 'exit', signal: 'SIGKILL' };
      return;
    }
    const exit = await exitOf(engine, Id, plain, clock);
    // Before it is told: whoever has heard the end asks for nothing more.
    hasEnded = true;
    yield { type: 'exit', ...exit };
  } finally {
    connection?.destroy();
    // Also after its end: what it has left behind. And where it is not known whether it has begun.
    await killMarked(engine, containerId, mark).catch((error: unknown) => {
      if (!hasEnded) throw error;
    });
  }
}

async function feed(connection: Duplex, input: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of input) {
    if (connection.destroyed) return;
    if (!connection.write(piece))
      await new Promise<void>((resolve) => {
        connection.once('drain', resolve).once('close', resolve);
      });
  }
  connection.end();
}

/** @returns the beginning of the output: the engine's own words where it could not start the command */
async function* framesOf(connection: Duplex): AsyncGenerator<CommandEvent, string> {
  let rest: Buffer = Buffer.alloc(0);
  let beginning = '';
  try {
    for await (const chunk of connection as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= HEADER_BYTES && isHeader(rest)) {
        const end = HEADER_BYTES + rest.readUInt32BE(4);
        if (rest.length < end) break;
        const type = rest[0] === 2 ? 'stderr' : 'stdout';
        const bytes = rest.subarray(HEADER_BYTES, end);
        if (beginning.length < BEGINNING_CHARACTERS) beginning += bytes.toString();
        yield { type, bytes };
        rest = rest.subarray(end);
      }
    }
  } catch {
    // Cut off by the signal, or with its container: what there is to be known of the end is asked for.
  }
  return beginning + rest.toString();
}

function isHeader(bytes: Buffer): boolean {
  return bytes.readUInt8(0) <= 2 && bytes.readUIntBE(1, 3) === 0;
}

async function exitOf(
  engine: Engine,
  id: string,
  said: string,
  clock: Clock,
): Promise<{ exitCode?: number; signal?: string }> {
  for (let turn = 0; turn < 50; turn += 1) {
    const { ExitCode, Running } = await engine.request<{ ExitCode: number | null; Running: boolean }>({
      method: 'GET',
      path: `/exec/${id}/json`,
      what: WHAT,
    });
    // The output ends a moment before the command is known to have ended.
    if (!Running && ExitCode !== null)
      return { exitCode: NOT_STARTED.test(said) ? (startFault(said) ?? ExitCode) : ExitCode };
    await clock.sleep(ENDED_LOOK_MILLISECONDS);
  }
  return {};
}

/** An engine ends no command that it runs in a container. Where that has no shell, what runs on ends with the container. */
async function killMarked(engine: Engine, containerId: string, mark: string): Promise<void> {
  const { Id } = await engine.request<{ Id: string }>({
    method: 'POST',
    path: `/containers/${containerId}/exec`,
    body: { Cmd: endMarked(mark) },
    what: WHAT,
  });
  await engine.request({
    method: 'POST',
    path: `/exec/${Id}/start`,
    body: { Detach: true, Tty: false },
    what: WHAT,
  });
}
