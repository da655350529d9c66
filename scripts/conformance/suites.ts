import type { ServiceName } from '../../test/kit/services.ts';

/** A driver's run of the conformance suite. */
export interface Suite {
  readonly file: string;
  /** Without which it is skipped. */
  readonly service?: ServiceName;
}

export const SUITES = {
  fake: { file: 'vim-drivers/fake/conformance.test.ts' },
  process: { file: 'vim-drivers/process/conformance.test.ts' },
  agent: { file: 'agents/driver-conformance.test.ts' },
  docker: { file: 'vim-drivers/docker/conformance.test.ts', service: 'docker' },
  kubernetes: { file: 'vim-drivers/kubernetes/conformance.test.ts', service: 'kubernetes' },
} as const satisfies Readonly<Record<string, Suite>>;

export type SuiteName = keyof typeof SUITES;

export function isSuiteName(name: string): name is SuiteName {
  return Object.hasOwn(SUITES, name);
}

/** The suite in that file of the repository. */
export function suiteOf(moduleId: string): (Suite & { readonly name: string }) | undefined {
  const all: readonly [string, Suite][] = Object.entries(SUITES);
  const found = all.find(([, { file }]) => moduleId.endsWith(`/${file}`));
  return found === undefined ? undefined : { name: found[0], ...found[1] };
}
