import { spawn } from 'node:child_process';
import { messageOf } from '../../kernel/index.ts';
import type { PreparedInstance } from './prepare-instance.ts';
import { sendSignal } from './system.ts';

/** Runs the program as the instance is run. Nothing when it ended well, else what was wrong. */
export function probeExec(
  command: readonly string[],
  instance: PreparedInstance,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = command;
    // A group of its own, so that a probe that hangs can be ended with its children.
    const child = spawn(program, args, {
      cwd: instance.workingDirectory,
      env: instance.environment,
      stdio: 'ignore',
      detached: true,
    });
    const abort = (): void => {
      if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL');
      reject(new Error(`${program} was interrupted`));
    };
    signal.addEventListener('abort', abort, { once: true });
    child.once('error', (error) => {
      signal.removeEventListener('abort', abort);
      resolve(messageOf(error));
    });
    child.once('exit', (code) => {
      signal.removeEventListener('abort', abort);
      resolve(code === 0 ? undefined : `${program} exited with code ${code ?? 'none'}`);
    });
  });
}
