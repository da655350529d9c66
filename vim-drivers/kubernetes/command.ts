import { IotmanoError } from '../../kernel/index.ts';
import type { CommandEvent, CommandOptions } from '../contract.ts';
import { COMMAND_MARK, endMarked } from '../supervision/index.ts';
import { execInPod } from './exec.ts';
import {
  exitCodeOfStatus,
  openPodSocket,
  type ExecStatus,
  type PodAddress,
  type PodSocket,
} from './pod-socket.ts';
import { startFailureCode } from './program-end.ts';

/** Gives everything that the command starts a mark in its environment, which Kubernetes itself cannot. */
const MARKING = `export ${COMMAND_MARK}="$0"; exec "$@"`;
const BEGINNING_CHARACTERS = 500;
/** A cluster ends no command whose connection is closed, so that a mark says what is to be killed; without a shell nothing can be. */
const NO_SHELL = 'no-shell';
const KILLED: CommandEvent = { type: 'exit', signal: 'SIGKILL' };

/**
 * A command beside the program of a pod, with its environment, files and bounds.
 * @param name of this command alone
 * @throws IotmanoError `conflict` where it is given input whose end this cluster cannot tell it; `unavailable`
 */
export async function* commandInPod(
  address: PodAddress,
  name: string,
  { command, input, signal }: Pick<CommandOptions, 'command' | 'input' | 'signal'>,
): AsyncGenerator<CommandEvent> {
  const shell = await lookForShell(address, input !== undefined);
  if (signal.aborted) {
    yield KILLED;
    return;
  }
  const words = shell === NO_SHELL ? command : ['sh', '-c', MARKING, name, ...command];
  let socket: PodSocket | undefined;
  let hasEnded = false;
  try {
    socket = await openPodSocket(address, words, { hasInput: input !== undefined, signal });
    if (input !== undefined) void feed(socket, input);
    const { said, status } = yield* outputOf(socket);
    if (signal.aborted) {
      yield KILLED;
      return;
    }
    const exitCode = codeOf(address, status, shell === NO_SHELL ? said : '');
    // Before it is told: whoever has heard the end asks for nothing more.
    hasEnded = true;
    yield { type: 'exit', exitCode };
  } finally {
    socket?.close();
    // Also after its end: what it has left behind. And where it is not known whether it has begun.
    if (shell !== NO_SHELL)
      await execInPod(address, endMarked(`${COMMAND_MARK}=${name}`)).catch((error: unknown) => {
        if (!hasEnded) throw error;
      });
  }
}

/** Also asks what protocol the cluster speaks, before anything runs that would wait for the end of its input for ever. */
async function lookForShell(address: PodAddress, hasInput: boolean): Promise<'shell' | typeof NO_SHELL> {
  const { exitCode, canEndInput } = await execInPod(address, ['sh', '-c', ':']);
  if (hasInput && !canEndInput)
    throw new IotmanoError(
      'conflict',
      'this cluster cannot tell a command that its standard input has ended (version 5 of the protocol of remote commands, from Kubernetes 1.30 on); run it without standard input',
    );
  return exitCode === 0 ? 'shell' : NO_SHELL;
}

async function feed(socket: PodSocket, input: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const piece of input) await socket.send(piece);
    await socket.endInput();
  } catch {
    // The command has ended without having read all of it, or the connection broke: its end tells.
  }
}

interface Told {
  /** The beginning of the output: the runtime's own words where it could not start the command. */
  readonly said: string;
  readonly status: ExecStatus | undefined;
}

async function* outputOf(socket: PodSocket): AsyncGenerator<CommandEvent, Told> {
  let said = '';
  for await (const frame of socket.frames()) {
    if (frame.type === 'status') return { said, status: frame.status };
    if (said.length < BEGINNING_CHARACTERS) said += Buffer.from(frame.bytes).toString();
    yield frame;
  }
  return { said, status: undefined };
}

/** @throws IotmanoError `unavailable` where nobody knows how it has ended */
function codeOf({ pod }: PodAddress, status: ExecStatus | undefined, said: string): number {
  if (status === undefined)
    throw new IotmanoError('unavailable', `the connection to the pod ${pod} broke before the command ended`, {
      pod,
    });
  const code = exitCodeOfStatus(status);
  const isFault = code === undefined || (code === 126 && said.startsWith('OCI runtime exec failed'));
  if (!isFault) return code;
  const fault = startFailureCode(`${status.message ?? ''} ${said}`) ?? code;
  if (fault !== undefined) return fault;
  throw new IotmanoError(
    'unavailable',
    `the cluster did not run the command: ${status.message ?? 'no reason given'}`,
    {
      pod,
    },
  );
}
