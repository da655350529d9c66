import type { Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';
import { isNewer } from './is-newer.ts';
import { functionIdOf, type NsInstance } from './services.ts';

interface VnfPkgInfo {
  readonly id: string;
  readonly vnfdId?: string;
  readonly vnfProductName?: string;
  readonly vnfSoftwareVersion?: string;
  readonly onboardingState: string;
  readonly operationalState: string;
}

interface FunctionRow {
  readonly id: string;
  readonly vnfdId?: string;
  readonly vnfProductName?: string;
  readonly extensions?: { readonly constituent?: string };
}

/** What `iotmano service upgrade` is told. */
export interface UpgradeOptions {
  /** Onboarded packages, by id, vnfdId, or product name with or without its version (`broker`, `broker@1.2.0`). */
  readonly to: readonly string[];
  /** `function=version` */
  readonly function: readonly (readonly [name: string, version: string])[];
  readonly strategy?: string;
  readonly autoRollback: boolean;
}

/** SOL005 UpdateNsRequest for what the options name. @throws CliFailure naming what there is where something is not found */
export async function upgradeRequest(
  client: Client,
  instance: NsInstance,
  options: UpgradeOptions,
): Promise<object> {
  const packages = (await client.list<VnfPkgInfo>('/vnfpkgm/v2/vnf_packages')).filter(
    ({ onboardingState, operationalState }) =>
      onboardingState === 'ONBOARDED' && operationalState === 'ENABLED',
  );
  const functions = (instance.vnfInstance ?? []) as readonly FunctionRow[];
  const wanted = [
    ...options.to.flatMap((text) => ofPackage(functions, packages, text)),
    ...options.function.map(([name, version]) => ofFunction(instance, functions, packages, name, version)),
  ];
  if (wanted.length === 0)
    throw new CliFailure(EXIT.usage, 'nothing to upgrade: give --to PACKAGE or --function NAME=VERSION');
  const upgrade = {
    ...(options.strategy === undefined ? {} : { strategy: options.strategy }),
    ...(options.autoRollback ? {} : { autoRollback: false }),
  };
  const additionalParams = Object.keys(upgrade).length === 0 ? {} : { additionalParams: { upgrade } };
  return {
    updateType: 'CHANGE_VNFPKG',
    changeVnfPackageData: wanted.map((each) => ({ ...each, ...additionalParams })),
  };
}

interface Wanted {
  readonly vnfInstanceId: string;
  readonly vnfdId: string;
}

/** Every function of the service that is of that product, and not of that package already. */
function ofPackage(
  functions: readonly FunctionRow[],
  packages: readonly VnfPkgInfo[],
  text: string,
): readonly Wanted[] {
  const pkg = newest(packages.filter((each) => namesOf(each).includes(text)));
  if (pkg?.vnfdId === undefined)
    throw new CliFailure(EXIT.notFound, `no enabled package is called "${text}"; see "iotmano package list"`);
  const { vnfdId, vnfProductName } = pkg;
  const own = functions.filter((each) => each.vnfProductName === vnfProductName);
  if (own.length === 0)
    throw new CliFailure(EXIT.notFound, `the service has no function that is a ${vnfProductName ?? text}`);
  return own.filter((each) => each.vnfdId !== vnfdId).map(({ id }) => ({ vnfInstanceId: id, vnfdId }));
}

function ofFunction(
  instance: NsInstance,
  functions: readonly FunctionRow[],
  packages: readonly VnfPkgInfo[],
  name: string,
  version: string,
): Wanted {
  const vnfInstanceId = functionIdOf(instance, name);
  const product = functions.find(({ id }) => id === vnfInstanceId)?.vnfProductName;
  const own = packages.filter(({ vnfProductName }) => vnfProductName === product);
  const found = own.find(({ vnfSoftwareVersion }) => vnfSoftwareVersion === version);
  if (found?.vnfdId !== undefined) return { vnfInstanceId, vnfdId: found.vnfdId };
  const versions = own.map(({ vnfSoftwareVersion }) => vnfSoftwareVersion).join(', ');
  throw new CliFailure(
    EXIT.notFound,
    `there is no enabled package of ${product ?? name} ${version}; there is ${versions || 'none'}`,
  );
}

function namesOf({ id, vnfdId, vnfProductName, vnfSoftwareVersion }: VnfPkgInfo): readonly string[] {
  const names =
    vnfProductName === undefined ? [] : [vnfProductName, `${vnfProductName}@${vnfSoftwareVersion ?? ''}`];
  return [id, ...(vnfdId === undefined ? [] : [vnfdId]), ...names];
}

function newest(packages: readonly VnfPkgInfo[]): VnfPkgInfo | undefined {
  return packages.reduce<VnfPkgInfo | undefined>(
    (best, each) =>
      best === undefined || isNewer(each.vnfSoftwareVersion, best.vnfSoftwareVersion) ? each : best,
    undefined,
  );
}

interface FunctionOperation {
  readonly id: string;
  readonly operation: string;
  readonly operationState: string;
  readonly vnfInstanceId: string;
  /** Of one that replaces a version step by step; others cannot be paused. */
  readonly rollout?: object;
}

/**
 * Pauses or resumes every change of the service's functions that goes forward; while one is paused, an update of the service begins no further one.
 * @returns how many
 */
export async function pauseUpgrade(
  client: Client,
  { vnfInstance = [] }: NsInstance,
  task: 'pause' | 'resume',
): Promise<number> {
  const ids = new Set(vnfInstance.map(({ id }) => id));
  const open = (await client.list<FunctionOperation>('/vnflcm/v2/vnf_lcm_op_occs')).filter(
    ({ operation, operationState, vnfInstanceId, rollout }) =>
      ids.has(vnfInstanceId) &&
      rollout !== undefined &&
      (operation === 'CHANGE_VNFPKG' || operation === 'MODIFY_INFO') &&
      (operationState === 'PROCESSING' || operationState === 'STARTING'),
  );
  for (const { id } of open) await client.post(`/iotmano/v1/vnf_lcm_op_occs/${id}/${task}`);
  return open.length;
}
