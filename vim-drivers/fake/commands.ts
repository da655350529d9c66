import type { CommandEvent, CommandOptions } from '../contract.ts';

/**
 * What commands do in a fake world: `echo WORDS`, `cat`, `exit CODE`, `fail WORDS` (to standard error, code 1), `yes` (a KiB of output again and
 * again) and `wait`, which last until they are ended. No other program is there.
 */
export async function* fakeCommand({ command, input, signal }: CommandOptions): AsyncGenerator<CommandEvent> {
  const [program, ...words] = command;
  switch (program) {
    case 'echo':
      yield { type: 'stdout', bytes: Buffer.from(`${words.join(' ')}\n`) };
      break;
    case 'fail':
      yield { type: 'stderr', bytes: Buffer.from(`${words.join(' ')}\n`) };
      yield { type: 'exit', exitCode: 1 };
      return;
    case 'cat':
      for await (const bytes of input ?? []) yield { type: 'stdout', bytes };
      break;
    case 'exit':
      yield { type: 'exit', exitCode: Number(words[0]) };
      return;
    case 'yes':
      while (!signal.aborted) {
        yield { type: 'stdout', bytes: Buffer.alloc(1024, 'y\n') };
        await new Promise((resolve) => setImmediate(resolve));
      }
      break;
    case 'wait':
      await aborted(signal);
      break;
    default:
      yield { type: 'stderr', bytes: Buffer.from(`${program ?? ''}: not found\n`) };
      yield { type: 'exit', exitCode: 127 };
      return;
  }
  yield signal.aborted ? { type: 'exit', signal: 'SIGKILL' } : { type: 'exit', exitCode: 0 };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
