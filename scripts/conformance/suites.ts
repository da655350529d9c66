import type { ServiceName } from '../../test/kit/services.ts';

/** A driver's run of the conformance suite. */
export interface Suite {
  /** More than one where a single process would take too long. */
  readonly files: readonly string[];
  /** Without which it is skipped. */
  readonly service?: ServiceName;
}

export const SUITES = {
  fake: { files: ['vim-drivers/fake/conformance.test.ts'] },
  process: { files: ['vim-drivers/process/conformance.test.ts'] },
  agent: { files: ['agents/driver-conformance.test.ts'] },
  docker: {
    files: ['vim-drivers/docker/conformance.test.ts', 'vim-drivers/docker/conformance-programs.test.ts'],
    service: 'docker',
  },
  kubernetes: {
    files: [
      'vim-drivers/kubernetes/conformance.test.ts',
      'vim-drivers/kubernetes/conformance-programs.test.ts',
    ],
    service: 'kubernetes',
  },
} as const satisfies Readonly<Record<string, Suite>>;

export type SuiteName = keyof typeof SUITES;

export function isSuiteName(name: string): name is SuiteName {
  return Object.hasOwn(SUITES, name);
}

/** The suite in that file of the repository. */
export function suiteOf(moduleId: string): (Suite & { readonly name: string }) | undefined {
  const all: readonly [string, Suite][] = Object.entries(SUITES);
  const found = all.find(([, { files }]) => files.some((file) => moduleId.endsWith(`/${file}`)));
  return found === undefined ? undefined : { name: found[0], ...found[1] };
}
