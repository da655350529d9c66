import { IotmanoError } from '../../kernel/index.ts';
import { templateReferences, type IoTFunctionDescriptor } from '../../descriptors/index.ts';
import {
  generationOf,
  isSameJson,
  versionOf,
  type ConfigChange,
  type RolloutRecord,
  type VnfInstanceDocument,
} from '../domain/index.ts';
import type { StoredRecord } from '../store/index.ts';
import { findArtifact } from './build-workload.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf, type FunctionPackage } from './function-catalog.ts';
import { changedConfig } from './rollout/change-request.ts';
import { resolvePolicy } from './rollout/rollout-policy.ts';
import { upgradeOfService } from './service-rules.ts';
import { validateValues } from './validate-values.ts';

/** SOL003 VnfInfoModificationRequest. */
export interface ModifyVnf {
  readonly vnfInstanceName?: string;
  readonly vnfInstanceDescription?: string;
  /** Changes, as in RFC 7396. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Changes of configuration values; null takes one back to its default. */
  readonly vnfConfigurableProperties?: Readonly<Record<string, unknown>>;
}

/** What a request to modify an instance comes to. */
export interface Modification {
  /** What people call it: changes at once. */
  readonly info: Partial<VnfInstanceDocument>;
  /** Values that the copies take over as they run. */
  readonly configChange?: ConfigChange;
  /** Values for which the copies are replaced, as they are by another version. */
  readonly rollout?: RolloutRecord;
}

type Instance = StoredRecord<'vnf-instance'>;

/**
 * Checks a modification, and tells what its configuration values need.
 * @throws IotmanoError `unprocessable` or `conflict`
 */
export function parseModification(
  context: LifecycleContext,
  { document }: Instance,
  { vnfInstanceName, vnfInstanceDescription, metadata, vnfConfigurableProperties }: ModifyVnf,
): Modification {
  const info = {
    ...(vnfInstanceName === undefined ? {} : { name: vnfInstanceName }),
    ...(vnfInstanceDescription === undefined ? {} : { description: vnfInstanceDescription }),
    ...(metadata === undefined ? {} : { metadata: withChanges(document.metadata, metadata) }),
  };
  if (vnfConfigurableProperties === undefined) return { info };
  return { info, ...configurationOf(context, document, vnfConfigurableProperties) };
}

function withChanges(
  before: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const all = new Map([...Object.entries(before), ...Object.entries(changes)]);
  return Object.fromEntries([...all].filter(([, value]) => value !== null));
}

function configurationOf(
  context: LifecycleContext,
  document: VnfInstanceDocument,
  changes: Readonly<Record<string, unknown>>,
): Pick<Modification, 'configChange' | 'rollout'> {
  requireConfigurable(document);
  const pkg = packageOf(context.catalog, document.vnfPkgId);
  const { descriptor } = pkg;
  const { productName, softwareVersion } = descriptor.metadata;
  const after = changedConfig(document.config, changes, descriptor);
  validateValues(descriptor.config, after, `config of ${productName}`);
  const before = document.config;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !isSameJson(before[name] ?? null, after[name] ?? null),
  );
  if (names.every((name) => isReloaded(context, pkg, name))) return { configChange: { before, after } };
  const what = `${productName} ${softwareVersion}`;
  return {
    rollout: {
      policy: resolvePolicy(
        pkg,
        pkg,
        upgradeOfService(context.state, document),
        document.coverage !== undefined,
      ),
      from: `${what} as it was configured`,
      to: `${what} as it is configured now`,
      before: versionOf(document),
      target: {
        ...versionOf(document),
        config: after,
        generation: Math.max(document.generations, generationOf(document)) + 1,
      },
    },
  };
}

function requireConfigurable({ name, instantiationState, replaced }: VnfInstanceDocument): void {
  if (instantiationState !== 'INSTANTIATED')
    throw new IotmanoError(
      'conflict',
      `${name} is ${instantiationState}: its configuration is given when it is instantiated (vnfConfigurableProperties)`,
    );
  if (replaced !== undefined)
    throw new IotmanoError(
      'conflict',
      `${name} has copies of two versions: bring it to one of them first (change_vnfpkg)`,
    );
}

/** Whether a running copy takes the value over: the descriptor says so, and nothing that is fixed for its life is made of it. */
function isReloaded(context: LifecycleContext, pkg: FunctionPackage, name: string): boolean {
  const { descriptor } = pkg;
  if (descriptor.config.apply[name] !== 'reload') return false;
  if (descriptor.units.some(({ bindings }) => bindings === undefined)) return false;
  return !fixedTexts(context, pkg).some((text) =>
    templateReferences(text).references.some(({ path }) => path === `config.${name}`),
  );
}

/** Texts with templates of what is fixed for the life of an instance. */
function fixedTexts({ templates }: LifecycleContext, pkg: FunctionPackage): readonly string[] {
  return pkg.descriptor.units.flatMap((unit: IoTFunctionDescriptor['units'][number]) => [
    ...Object.values(unit.env),
    ...unit.artifacts.flatMap(({ command = [] }) => command),
    ...unit.files.map(({ template }) => templates(findArtifact(pkg, template))),
  ]);
}
