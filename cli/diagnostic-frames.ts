import { messageOf } from '../kernel/index.ts';
import type { components } from '../api-specs/generated/iotmano.ts';
import { CliFailure, EXIT } from './failure.ts';

export type DiagnosticFrame = components['schemas']['DiagnosticFrame'];
export type DiagnosticEnd = components['schemas']['DiagnosticEnd'];

/** Of the answer: what is plain text in other cases comes with its end this way. */
export const FRAMES = { accept: 'application/x-ndjson, application/problem+json' } as const;

/** The frames of an answer, to the last. @throws CliFailure where it is cut off before that */
export async function* readFrames(output: AsyncIterable<Uint8Array>): AsyncGenerator<DiagnosticFrame> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of output) {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        const frame = JSON.parse(rest.subarray(0, end).toString('utf8')) as DiagnosticFrame;
        rest = rest.subarray(end + 1);
        yield frame;
        if (frame.end !== undefined) return;
      }
    }
  } catch (error) {
    throw cutOff(messageOf(error));
  }
  throw cutOff('the connection ended');
}

/** Writes what a frame holds, and waits where whoever reads is slow. */
export async function writeFrame({ stdout, stderr }: DiagnosticFrame): Promise<void> {
  if (stdout !== undefined) await write(process.stdout, stdout);
  if (stderr !== undefined) await write(process.stderr, stderr);
}

export function cutOff(reason: string): CliFailure {
  return new CliFailure(EXIT.unreachable, `the output was cut off: ${reason}; ask again`);
}

/** What ended it, in words. */
export function endText({ reason, detail }: DiagnosticEnd): string {
  const words: Readonly<Record<DiagnosticEnd['reason'], string>> = {
    EXITED: 'the command has ended',
    COMPLETE: 'all was shown',
    BYTES: 'there is more output than one answer may hold',
    SECONDS: 'it took longer than one answer may last',
    REFUSED: 'the host refused it',
    FAILED: 'the host could not go on with it',
    READER_GONE: 'the orchestrator saw nobody read it any more',
    SWITCHED_OFF: 'diagnostics were switched off',
    HOST_SILENT: 'the host is not heard of any more',
    SESSION_ENDED: 'the agent of the host, or its session, was begun anew',
    RESTARTED: 'the orchestrator was started anew',
  };
  return detail === undefined ? words[reason] : `${words[reason]} (${detail})`;
}

function write(stream: NodeJS.WriteStream, base64: string): Promise<void> {
  return new Promise((resolve) => {
    if (stream.write(Buffer.from(base64, 'base64'))) resolve();
    else stream.once('drain', () => resolve());
  });
}
