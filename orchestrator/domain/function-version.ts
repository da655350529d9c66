import type { VnfPkgId } from '../../kernel/index.ts';
import type { FunctionVersion, VnfInstanceDocument } from './documents.ts';

/** Which package copies are of: while one version replaces another, that depends on their generation. */
export type Versions = Pick<VnfInstanceDocument, 'vnfPkgId' | 'replaced' | 'generation'>;

/**
 * Whether copies of a generation are of the version that is replaced. The newer one of two versions has one generation; copies of any other are of the
 * older one, which may have come to several.
 */
export function isReplacedAt(
  { replaced, generation: own }: Pick<VnfInstanceDocument, 'replaced' | 'generation'>,
  generation: number,
): boolean {
  if (replaced === undefined) return false;
  return own === undefined || own < replaced.generation
    ? generation === replaced.generation
    : generation !== own;
}

/** The package that copies of a generation are made of. */
export function packageIdAt(versions: Versions, generation: number): VnfPkgId {
  const { vnfPkgId, replaced } = versions;
  return replaced !== undefined && isReplacedAt(versions, generation) ? replaced.vnfPkgId : vnfPkgId;
}

/** The instance as copies of a generation see it: with the package, configuration and bindings of their own version. */
export function instanceAt(instance: VnfInstanceDocument, generation: number): VnfInstanceDocument {
  const { replaced } = instance;
  return replaced !== undefined && isReplacedAt(instance, generation)
    ? withVersion(instance, replaced)
    : instance;
}

/** The instance in each version of which there are copies: the one that it is to be of first. */
export function versionsOf(instance: VnfInstanceDocument): readonly VnfInstanceDocument[] {
  return instance.replaced === undefined ? [instance] : [instance, withVersion(instance, instance.replaced)];
}

/** Generation of copies that are added: all units of one version are of one. Of a function that has no copies yet, the next. */
export function generationOf(instance: VnfInstanceDocument): number {
  const { generation, wanted, displaced = [], reservation = [], generations } = instance;
  return generation ?? [...wanted, ...displaced, ...reservation][0]?.generation ?? generations + 1;
}

/** The version that the instance is to be of. */
export function versionOf(instance: VnfInstanceDocument): FunctionVersion {
  const { vnfPkgId, flavour, level, config, bind, credentials } = instance;
  return {
    vnfPkgId,
    ...(flavour === undefined ? {} : { flavour }),
    ...(level === undefined ? {} : { level }),
    config,
    bind,
    credentials,
    generation: generationOf(instance),
  };
}

/** The way back: what was replaced is what the instance is to be of, and replaces the other. */
export function swapVersions(instance: VnfInstanceDocument): VnfInstanceDocument {
  const { replaced } = instance;
  return replaced === undefined
    ? instance
    : { ...withVersion(instance, replaced), replaced: versionOf(instance) };
}

/** The instance made to be of a version. */
export function withVersion(instance: VnfInstanceDocument, version: FunctionVersion): VnfInstanceDocument {
  const { flavour: _flavour, level: _level, ...rest } = instance;
  return { ...rest, ...version };
}
