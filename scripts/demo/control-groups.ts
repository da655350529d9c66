import { existsSync, readdirSync, realpathSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupScope } from '../../vim-drivers/process/index.ts';

/**
 * Removes the control groups that the process driver with this state directory has made, once their processes have ended:
 * a driver that was killed did not.
 */
export function removeControlGroups(stateDirectory: string): void {
  if (!existsSync(stateDirectory)) return;
  const scope = cgroupScope(realpathSync(stateDirectory));
  for (const hierarchy of ['memory/iotmano', 'cpu/iotmano', 'iotmano']) {
    const group = join('/sys/fs/cgroup', hierarchy, scope);
    if (!existsSync(group)) continue;
    const instances = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const path of [...instances.map(({ name }) => join(group, name)), group]) removeGroup(path);
  }
}

function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Somebody's process is still in it, or it went meanwhile.
  }
}
