import { spawn } from 'node:child_process';

/** Runs a program to its end; its stdout. @throws RangeError with what it said when it fails */
export function runCommand(command: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new RangeError(`${command} ${args.slice(0, 3).join(' ')} ended with ${code}: ${stderr}`));
    });
  });
}
