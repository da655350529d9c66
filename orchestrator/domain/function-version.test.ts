import { describe, expect, it } from 'vitest';
import type { VnfPkgId } from '../../kernel/index.ts';
import type { FunctionVersion, VnfInstanceDocument } from './documents.ts';
import { instanceAt, packageIdAt, swapVersions } from './function-version.ts';

const version = (name: string, generation: number): FunctionVersion => ({
  vnfPkgId: name as VnfPkgId,
  config: { of: name },
  bind: {},
  credentials: {},
  generation,
});

const CHANGING: VnfInstanceDocument = {
  name: 'worker',
  description: '',
  instantiationState: 'INSTANTIATED',
  constraints: {},
  wanted: [],
  generations: 5,
  metadata: {},
  ...version('new', 5),
  replaced: version('old', 2),
};

const packagesIn = (instance: VnfInstanceDocument) =>
  [1, 2, 4, 5].map((generation) => packageIdAt(instance, generation));

describe('a function that goes from one version to another', () => {
  it('has copies of the new version in its generation, and of the old one in all others', () => {
    expect(packagesIn(CHANGING)).toEqual(['old', 'old', 'old', 'new']);
    expect(instanceAt(CHANGING, 4)).toMatchObject({ vnfPkgId: 'old', config: { of: 'old' } });
    expect(instanceAt(CHANGING, 5)).toBe(CHANGING);
  });

  it('has the same copies of each version on the way back', () => {
    expect(packagesIn(swapVersions(CHANGING))).toEqual(packagesIn(CHANGING));
  });

  it('has only copies of one version when nothing is replaced', () => {
    const { replaced: _replaced, ...settled } = CHANGING;
    expect(packagesIn(settled)).toEqual(['new', 'new', 'new', 'new']);
  });
});
