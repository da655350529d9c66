import type { createDockerDriver } from './docker/index.ts';
import type { createFakeDriver } from './fake/index.ts';
import type { createKubernetesDriver } from './kubernetes/index.ts';
import type { createProcessDriver } from './process/index.ts';

/**
 * Every driver by name, each loaded only when used: an SDK that nobody needs costs no memory. The entry gives the maker; what it needs is its own.
 * @example const { createProcessDriver } = await DRIVERS.process();
 */
export const DRIVERS = {
  docker: () =>
    import('./docker/index.ts') satisfies Promise<{ createDockerDriver: typeof createDockerDriver }>,
  fake: () => import('./fake/index.ts') satisfies Promise<{ createFakeDriver: typeof createFakeDriver }>,
  kubernetes: () =>
    import('./kubernetes/index.ts') satisfies Promise<{
      createKubernetesDriver: typeof createKubernetesDriver;
    }>,
  process: () =>
    import('./process/index.ts') satisfies Promise<{ createProcessDriver: typeof createProcessDriver }>,
} as const;

export type DriverName = keyof typeof DRIVERS;

export function isDriverName(name: string): name is DriverName {
  return Object.hasOwn(DRIVERS, name);
}
