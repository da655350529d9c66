import { readFileSync } from 'node:fs';
import { IotmanoError } from '../../kernel/index.ts';

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/**
 * The kernel's id of this boot: the same for every process until the machine starts again.
 * @throws IotmanoError `driver-failed` where the kernel has none (agents need Linux)
 */
export function readBootId(): string {
  try {
    return readFileSync(BOOT_ID_FILE, 'utf8').trim();
  } catch (error) {
    throw new IotmanoError(
      'driver-failed',
      `${BOOT_ID_FILE} cannot be read: agents run on Linux, with /proc mounted`,
      {},
      error,
    );
  }
}
