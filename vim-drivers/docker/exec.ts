import type { Engine } from './engine.ts';

const OUTPUT_BYTES = 16 * 1024;

/** Runs a program beside the one of a container. Nothing when it ended well, else what was wrong. */
export async function execInside(
  engine: Engine,
  containerId: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const what = 'run a program in a container';
  const { Id } = await engine.request<{ Id: string }>({
    method: 'POST',
    path: `/containers/${containerId}/exec`,
    body: { Cmd: command, AttachStdout: true, AttachStderr: true },
    what,
    signal,
  });
  const stream = await engine.stream({
    method: 'POST',
    path: `/exec/${Id}/start`,
    body: { Detach: false, Tty: false },
    what,
    signal,
  });
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).byteLength;
    if (bytes > OUTPUT_BYTES) continue; // nobody reads it; it must not stop the program either
  }
  const { ExitCode, Running } = await engine.request<{ ExitCode: number | null; Running: boolean }>({
    method: 'GET',
    path: `/exec/${Id}/json`,
    what,
    signal,
  });
  if (Running) return `${command[0] ?? ''} has closed its output and runs on`;
  return ExitCode === 0 ? undefined : `${command[0] ?? ''} exited with code ${ExitCode ?? 'none'}`;
}
