import { fstatSync } from 'node:fs';
import { constants } from 'node:os';
import type { Command } from 'commander';
import { messageOf } from '../../kernel/index.ts';
import { wholeNumber } from '../arguments.ts';
import type { Client } from '../client.ts';
import { contextOf, type Environment } from '../context.ts';
import { FRAMES, cutOff, endText, readFrames, writeFrame, type DiagnosticEnd } from '../diagnostic-frames.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { findCopy } from '../find-copy.ts';
import { say } from '../output.ts';
import { stopSignal } from '../stop-signal.ts';

interface ExecOptions {
  readonly stdin?: boolean;
  readonly maxSeconds?: number;
}

/** As a shell tells the end of a command by a signal. */
const BY_SIGNAL = 128;
const INPUT_BYTES = 128 * 1024;

const HELP = `
The command gets user, environment, files and bounds of the function. There is no terminal: what asks for one does not work.
Standard input is passed on where it is a pipe or a file, and with --stdin. Ctrl-C ends the command.
The exit code is the command's own (128 and the number of a signal that ended it); failures of iotmano itself say so on stderr.
An admin has to switch it on ("iotmano diagnostics on exec"), and every use is in the audit log ("iotmano audit").
`;

/** `iotmano exec`: a command beside a running copy. */
export function addExecCommand(program: Command, env: Environment): void {
  program
    .command('exec <name> <command...>')
    .usage('[options] <name> -- <command> [arguments...]')
    .description('run a command beside a running copy (a name of "iotmano ps"), in its own context')
    .option('-i, --stdin', 'pass on standard input, also that of a terminal')
    .option('--max-seconds <seconds>', 'end it after that time', wholeNumber('--max-seconds', 1))
    .addHelpText('after', HELP)
    .action(async (name: string, words: string[], options: ExecOptions, command: Command) => {
      const { client } = contextOf(command, env);
      const { id } = await findCopy(client, name);
      process.exitCode = await run(client, id, words, options);
    });
}

async function run(
  client: Client,
  id: string,
  command: readonly string[],
  { stdin = isPiped(), maxSeconds }: ExecOptions,
): Promise<number> {
  const stopped = new AbortController();
  void stopSignal().then(() => stopped.abort());
  try {
    const output = await client.streamPost(
      `/iotmano/v1/vnfc_instances/${id}/exec`,
      { command, hasInput: stdin, ...(maxSeconds === undefined ? {} : { maxSeconds }) },
      FRAMES,
      stopped.signal,
    );
    for await (const frame of readFrames(output)) {
      if (frame.streamId !== undefined && stdin) void passInput(client, frame.streamId);
      await writeFrame(frame);
      if (frame.end !== undefined) return exitCodeOf(frame.end);
    }
    throw cutOff('the connection ended');
  } catch (error) {
    if (stopped.signal.aborted) return BY_SIGNAL + constants.signals.SIGINT;
    throw error;
  } finally {
    // What was not read of it must not keep this process.
    if (stdin) process.stdin.destroy();
  }
}

function exitCodeOf(end: DiagnosticEnd): number {
  if (end.reason !== 'EXITED') throw new CliFailure(EXIT.failed, `${endText(end)}; the command was ended`);
  const number = Object.entries(constants.signals).find(([name]) => name === end.signal)?.[1];
  return end.exitCode ?? BY_SIGNAL + (number ?? 0);
}

/** Somebody gives input on purpose; a terminal, or nothing, is none. */
function isPiped(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isFile() || stat.isSocket();
  } catch {
    return false;
  }
}

/** All of standard input, in order; what the other side has not taken yet is sent again. */
async function passInput(client: Client, streamId: string): Promise<void> {
  const path = `/iotmano/v1/diagnostic_streams/${streamId}/input`;
  let offset = 0;
  const send = async (bytes: Uint8Array, isEnd: boolean): Promise<number> => {
    const query = `?offset=${offset}${isEnd ? '&end=true' : ''}`;
    const { body } = await client.postBytes<{ receivedBytes: number }>(`${path}${query}`, bytes);
    const taken = body.receivedBytes - offset;
    offset = body.receivedBytes;
    return taken;
  };
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>)
      for (let rest = chunk; rest.length > 0;)
        rest = rest.subarray(await send(rest.subarray(0, INPUT_BYTES), false));
    await send(new Uint8Array(), true);
  } catch (error) {
    // A command need not read all that there is for it.
    if (!(error instanceof CliFailure) || error.exitCode !== EXIT.notFound)
      say(`iotmano: standard input is not passed on any more: ${messageOf(error)}`);
  }
}
