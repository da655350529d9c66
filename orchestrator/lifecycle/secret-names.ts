import { versionsOf, type VnfInstanceDocument } from '../domain/index.ts';
import type { FunctionCatalog } from './function-catalog.ts';

/** Configuration values of an instance that are never shown: what any of its versions calls secret, or one that it had before. */
export function secretNamesOf(
  catalog: Pick<FunctionCatalog, 'find'>,
  instance: VnfInstanceDocument,
): ReadonlySet<string> {
  const secrets = versionsOf(instance).flatMap(
    ({ vnfPkgId }) => catalog.find(vnfPkgId)?.descriptor.config.secrets ?? [],
  );
  return new Set([...(instance.secretConfig ?? []), ...secrets]);
}

/** The instance of two versions with what they call secret: known when one of them, and its package, is not there any more. */
export function rememberingSecrets(
  catalog: Pick<FunctionCatalog, 'find'>,
  instance: VnfInstanceDocument,
): VnfInstanceDocument {
  const secretConfig = [...secretNamesOf(catalog, instance)].toSorted();
  return secretConfig.length === 0 ? instance : { ...instance, secretConfig };
}
