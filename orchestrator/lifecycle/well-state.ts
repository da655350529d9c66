import type { RunRule } from '../../descriptors/index.ts';
import type { ObservedInstance } from '../../vim-drivers/index.ts';

/**
 * Whether a copy is as it is to be, whatever its epoch. Of a schedule it is once its host has taken that over: how its runs go is no
 * matter of an operation.
 */
export function isWellState(mode: RunRule['mode'], instance: ObservedInstance | undefined): boolean {
  if (instance === undefined) return false;
  switch (mode) {
    case 'service':
      return instance.state === 'RUNNING';
    case 'job':
      return instance.state === 'COMPLETED';
    case 'schedule':
      return instance.state !== 'FAILED';
  }
}
