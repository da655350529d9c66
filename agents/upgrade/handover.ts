/**
 * What the installed program and the versions that it starts say to each other, for ever: members are added and never changed, since the two may be of
 * any age.
 *
 * - The environment: which program is the installed one (its presence says that the choice of the version is made), and for which order a version is on trial.
 * - A version on trial is a child of the installed program, with a channel: it says there what it still waits for, and ends when its parent does.
 * - It confirms by writing `agent/versions.json`, and then ends; its parent then becomes that version.
 */
export const INSTALLED = 'IOTMANO_AGENT_INSTALLED';
export const TRIAL = 'IOTMANO_AGENT_TRIAL';

/** From a version on trial to its parent. */
export interface TrialMessage {
  readonly waitsFor: string;
}

/** Becomes another program, in the same process: nobody who supervises it sees an end. Never returns. */
export function becomeProgram(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): never {
  const { execve } = process;
  if (execve === undefined) throw new TypeError('this system has no execve');
  return execve.call(process, process.execPath, [process.execPath, ...process.execArgv, file, ...args], {
    ...env,
  });
}

/** Whether a process can become another program here. */
export function canBecomeProgram(): boolean {
  return process.execve !== undefined && process.platform !== 'win32';
}

/** Tells who watches over this version on trial; nothing where nobody does. */
export function tellParent(message: TrialMessage): void {
  if (process.connected) process.send?.(message);
}

/** A version on trial ends with who watches over it: the next start runs the version before. */
export function followParent(): void {
  process.once('disconnect', () => process.exit(1));
  process.channel?.unref();
}
