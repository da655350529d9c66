import { IotmanoError, type VnfInstanceId } from '../../../kernel/index.ts';
import { satisfies } from 'semver';
import type { IoTFunctionDescriptor } from '../../../descriptors/index.ts';
import {
  generationOf,
  versionOf,
  wantedVnfcs,
  type BindingCredential,
  type FunctionVersion,
  type RolloutRecord,
  type VnfInstanceDocument,
} from '../../domain/index.ts';
import type { StoredRecord } from '../../store/index.ts';
import type { LifecycleContext } from '../context.ts';
import { packageOf, type FunctionPackage } from '../function-catalog.ts';
import { countsOfLevel } from '../levels.ts';
import { requireBindings, requireOneWriter } from '../prepare-instance.ts';
import { upgradeOfService } from '../service-rules.ts';
import { validateValues } from '../validate-values.ts';
import { intendedOf } from '../withdrawals.ts';
import { nameOf, readsState, resolvePolicy, type PolicyRequest } from './rollout-policy.ts';

/** SOL003 ChangeCurrentVnfPkgRequest; ours is what is in `additionalParams`. */
export interface ChangeVnfPkg {
  readonly vnfdId: string;
  /** Changes of configuration values; null takes one back to its default. */
  readonly vnfConfigurableProperties?: Readonly<Record<string, unknown>>;
  readonly additionalParams?: {
    readonly cause?: string;
    /** How, where it is not to be as the descriptor says. */
    readonly upgrade?: PolicyRequest;
    /** What requirements that are new are bound to. */
    readonly bind?: Readonly<Record<string, string>>;
  };
}

type Instance = StoredRecord<'vnf-instance'>;

/**
 * What a request to change the package of an instance comes to, over what its service says of functions that cover hosts; checked against both versions and everybody who is bound to it: what is wrong is
 * refused here, before anything is touched.
 * @throws IotmanoError `unprocessable` or `conflict`
 */
export function parseChange(
  context: LifecycleContext,
  record: Instance,
  request: ChangeVnfPkg,
): RolloutRecord {
  const { document } = record;
  const pkg = context.catalog.findByVnfdId(record.tenant, request.vnfdId);
  if (pkg === undefined)
    throw new IotmanoError(
      'unprocessable',
      `no onboarded and enabled package has a descriptor with vnfdId ${request.vnfdId}; see GET /vnfpkgm/v2/vnf_packages`,
    );
  const before = packageOf(context.catalog, document.vnfPkgId);
  requireSameFunction(context, record, before, pkg);
  requireOneWriter(pkg, wantedVnfcs(intendedOf(document)).length, document.coverage);
  const target =
    document.replaced === undefined
      ? newVersion(context, record, pkg, request)
      : oneOf(document, pkg, request);
  const isCoverage = document.coverage !== undefined;
  const upgrade = { ...upgradeOfService(context.state, document), ...request.additionalParams?.upgrade };
  const policy = resolvePolicy(before, pkg, upgrade, isCoverage);
  return { policy, from: nameOf(before), to: nameOf(pkg), before: versionOf(document), target };
}

function requireSameFunction(
  context: LifecycleContext,
  { id, document }: Instance,
  before: FunctionPackage,
  pkg: FunctionPackage,
): void {
  const { name } = document;
  const [old, fresh] = [before.descriptor, pkg.descriptor];
  if (old.metadata.invariantId !== fresh.metadata.invariantId)
    throw new IotmanoError(
      'unprocessable',
      `${name} is of ${old.metadata.invariantId}; a package of ${fresh.metadata.invariantId} is another function, not another version of it`,
    );
  if (old.run.mode === 'job' || fresh.run.mode === 'job')
    throw new IotmanoError(
      'unprocessable',
      `${name} is a job: it has run, or it will end; instantiate the other version beside it`,
    );
  if (!readsState(fresh, old))
    throw new IotmanoError(
      'unprocessable',
      `${fresh.metadata.productName} ${fresh.metadata.softwareVersion} does not read state of schema ${old.state.schema ?? 'none'}, which ${name} has: it reads ${[fresh.state.schema, ...fresh.state.migratesFrom].filter((schema) => schema !== undefined).join(', ') || 'none'}`,
    );
  requireProvided(context, id as VnfInstanceId, name, fresh);
  requireInRange(context, document, fresh);
}

/** What others are bound to it for, the new version has to provide, too. */
function requireProvided(
  { state, catalog, index }: LifecycleContext,
  id: VnfInstanceId,
  name: string,
  { metadata, provides }: IoTFunctionDescriptor,
): void {
  for (const dependent of index.dependentsOf(id)) {
    const client = state.get('vnf-instance', dependent)?.document;
    if (client === undefined) continue;
    const missing = packageOf(catalog, client.vnfPkgId).descriptor.requires.find(
      (requirement) =>
        client.bind[requirement.name] === id &&
        !provides.some(
          ({ capability, protocol }) =>
            capability === requirement.capability && protocol === requirement.protocol,
        ),
    );
    if (missing !== undefined)
      throw new IotmanoError(
        'unprocessable',
        `${client.name} is bound to ${name} for ${missing.capability} over ${missing.protocol}, which ${metadata.softwareVersion} does not provide`,
      );
  }
}

/** A function of a service stays within what the service's descriptor says of its version. */
function requireInRange(
  { state }: LifecycleContext,
  { nsInstanceId, constituent, name }: VnfInstanceDocument,
  { metadata }: IoTFunctionDescriptor,
): void {
  const service = nsInstanceId === undefined ? undefined : state.get('ns-instance', nsInstanceId)?.document;
  if (service === undefined) return;
  const nsd = state.get('ns-descriptor', service.nsdInfoId)?.document.descriptor;
  const range = nsd?.functions.find((each) => each.name === constituent)?.version;
  if (range !== undefined && !satisfies(metadata.softwareVersion, range))
    throw new IotmanoError(
      'unprocessable',
      `the service ${service.name} wants ${name} in ${range}; ${metadata.softwareVersion} is not`,
    );
}

/** Of the two versions that a change which was given up has left. */
function oneOf(
  { name, replaced, ...instance }: VnfInstanceDocument,
  { vnfPkgId, descriptor }: FunctionPackage,
  { vnfConfigurableProperties, additionalParams }: ChangeVnfPkg,
): FunctionVersion {
  if (vnfConfigurableProperties !== undefined || additionalParams?.bind !== undefined)
    throw new IotmanoError(
      'conflict',
      `${name} has copies of two versions: a change that brings it to one of them leaves configuration and bindings as they are there; leave them out`,
    );
  const current = versionOf({ name, ...instance });
  if (current.vnfPkgId === vnfPkgId) return current;
  if (replaced?.vnfPkgId === vnfPkgId) return replaced;
  throw new IotmanoError(
    'conflict',
    `${name} has copies of two versions, and ${descriptor.metadata.softwareVersion} is neither of them: bring it to one of them first`,
  );
}

function newVersion(
  context: LifecycleContext,
  { tenant, document }: Instance,
  pkg: FunctionPackage,
  { vnfConfigurableProperties = {}, additionalParams = {} }: ChangeVnfPkg,
): FunctionVersion {
  const { descriptor } = pkg;
  const { productName, softwareVersion } = descriptor.metadata;
  const config = changedConfig(document.config, vnfConfigurableProperties, descriptor);
  validateValues(descriptor.config, config, `config of ${productName} ${softwareVersion}`);
  if (pkg.vnfPkgId === document.vnfPkgId)
    throw new IotmanoError('conflict', `${document.name} is of ${productName} ${softwareVersion} already`);
  const { flavour, level } = countsOfLevel(descriptor, document.flavour, document.level);
  const bind = boundAnew(document, descriptor, additionalParams.bind ?? {});
  requireBindings(context, tenant, pkg, bind);
  return {
    vnfPkgId: pkg.vnfPkgId,
    flavour,
    level,
    config,
    bind,
    credentials: credentialsFor(context, document, descriptor, bind),
    generation: Math.max(document.generations, generationOf(document)) + 1,
  };
}

/** What was given before and the version knows still, with the changes. */
export function changedConfig(
  before: VnfInstanceDocument['config'],
  changes: Readonly<Record<string, unknown>>,
  { config }: IoTFunctionDescriptor,
): Readonly<Record<string, unknown>> {
  const known = (config.schema['properties'] ?? {}) as Readonly<Record<string, unknown>>;
  const kept = Object.entries(before).filter(([name]) => Object.hasOwn(known, name));
  return Object.fromEntries(
    [...new Map([...kept, ...Object.entries(changes)])].filter(([, value]) => value !== null),
  );
}

/** Requirements that are bound stay bound as they are; the request binds what is new. */
function boundAnew(
  { name, bind: before }: VnfInstanceDocument,
  { requires }: IoTFunctionDescriptor,
  bind: Readonly<Record<string, string>>,
): FunctionVersion['bind'] {
  const rebound = Object.keys(bind).find((requirement) => Object.hasOwn(before, requirement));
  if (rebound !== undefined)
    throw new IotmanoError(
      'unprocessable',
      `additionalParams.bind.${rebound}: ${name} has bound that already; a change of version binds only what is new in it`,
    );
  const known = new Set(requires.map((requirement) => requirement.name));
  const kept = Object.entries(before).filter(([requirement]) => known.has(requirement));
  return { ...Object.fromEntries(kept), ...(bind as FunctionVersion['bind']) };
}

/** A version that asks a provider for something else shows another key there: each version may do what it has asked for, as long as it runs. */
function credentialsFor(
  { catalog, ids, keys }: LifecycleContext,
  { vnfPkgId, credentials }: VnfInstanceDocument,
  { requires }: IoTFunctionDescriptor,
  bind: FunctionVersion['bind'],
): Readonly<Record<string, BindingCredential>> {
  const old = packageOf(catalog, vnfPkgId).descriptor.requires;
  return Object.fromEntries(
    Object.keys(bind).map((name) => {
      const known = Object.hasOwn(credentials, name) ? credentials[name] : undefined;
      const [asked, asks] = [old, requires].map((list) => list.find((each) => each.name === name));
      const isSame = JSON.stringify(asked?.access) === JSON.stringify(asks?.access);
      return [name, known !== undefined && isSame ? known : { id: ids.uuid(), ...keys.ed25519() }];
    }),
  );
}
