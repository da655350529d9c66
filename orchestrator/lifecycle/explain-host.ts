import { IotmanoError, type HostId, type TenantId, type VnfInstanceId } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import { compareText, toWantedUnits, wantedVnfcs, type WantedVnfc } from '../domain/index.ts';
import { explainHost, type HostStanding } from '../placement/index.ts';
import type { StoredRecord } from '../store/index.ts';
import type { LifecycleContext } from './context.ts';
import { offerOf, placedByOthers, placedHere, unitsOn, type UnitHere } from './describe-host.ts';
import type { FunctionPackage } from './function-catalog.ts';
import { placedPackageOf } from './version-descriptor.ts';
import { countsOfLevel, countsOfWanted } from './levels.ts';
import { judgeHost } from './liveness.ts';
import { toPlacementRequest, type RequestInput } from './placement-request.ts';
import { rulesOfService } from './service-rules.ts';
import { claimOf, overrideOf, type WantedOverride } from './snapshot-inventory.ts';

type HostExplanation = components['schemas']['HostExplanation'];
type FunctionOnHost = components['schemas']['FunctionOnHost'];

/** Which functions to look into: all of the tenant, where nothing is named. */
export interface FunctionChoice {
  readonly nsInstanceId?: string;
  readonly vnfInstanceId?: string;
  readonly vnfPkgId?: string;
}

const MOST_FUNCTIONS = 50;
const LEAST_FUNCTIONS = 8;
/** Hosts that are looked at, about: each function is compared on all of them. */
const MOST_LOOKS = 1_000_000;

/**
 * What a host offers, what runs there, and what it is to functions of a tenant as placement sees it now. Changes nothing.
 * @param host one that the tenant may see
 * @throws IotmanoError `not-found` or `unprocessable` where what is named is not there, or not the tenant's
 */
export function explainHostTo(
  context: LifecycleContext,
  tenant: TenantId,
  host: StoredRecord<'host'>,
  choice: FunctionChoice = {},
): HostExplanation {
  const hostId = host.id as HostId;
  const { state, draining, disputed } = host.document;
  const units = unitsOn(context, hostId);
  const offer = offerOf(context, hostId, units, tenant);
  const { functions, more } =
    choice.vnfPkgId === undefined
      ? ofInstances(context, chosenInstances(context, tenant, choice), hostId, units)
      : { functions: ofPackage(context, tenant, choice.vnfPkgId, hostId), more: 0 };
  return {
    hostId,
    state,
    draining,
    disputed,
    ...(offer === undefined ? {} : { offer }),
    placed: placedHere(units, tenant),
    others: placedByOthers(units, tenant),
    functions,
    more,
  };
}

type InstanceRecord = StoredRecord<'vnf-instance'>;

function chosenInstances(
  { state }: LifecycleContext,
  tenant: TenantId,
  { nsInstanceId, vnfInstanceId }: FunctionChoice,
): readonly InstanceRecord[] {
  const find = (id: string): InstanceRecord => {
    const record = state.get('vnf-instance', id);
    if (record?.tenant === tenant) return record;
    throw new IotmanoError('not-found', `there is no VNF instance ${id}`, { vnfInstanceId: id });
  };
  if (vnfInstanceId !== undefined) return [find(vnfInstanceId)];
  if (nsInstanceId === undefined)
    return [...state.list('vnf-instance')].filter((record) => record.tenant === tenant);
  const service = state.get('ns-instance', nsInstanceId);
  if (service?.tenant !== tenant)
    throw new IotmanoError('not-found', `there is no NS instance ${nsInstanceId}`, { nsInstanceId });
  return Object.values(service.document.constituents).map(find);
}

function ofInstances(
  context: LifecycleContext,
  records: readonly InstanceRecord[],
  hostId: HostId,
  units: readonly UnitHere[],
): { readonly functions: FunctionOnHost[]; readonly more: number } {
  const here = new Set(units.map(({ record }) => record.id));
  const ordered = records.toSorted(
    (a, b) =>
      Number(here.has(b.id)) - Number(here.has(a.id)) ||
      compareText(a.document.name, b.document.name) ||
      compareText(a.id, b.id),
  );
  const affordable = Math.floor(MOST_LOOKS / Math.max(1, context.state.count('host')));
  const most = Math.min(MOST_FUNCTIONS, Math.max(LEAST_FUNCTIONS, affordable));
  return {
    functions: ordered.slice(0, most).flatMap((record) => ofInstance(context, record, hostId)),
    more: Math.max(0, ordered.length - most),
  };
}

/** Each unit as if one of its instances had to be placed now, and all others stayed. */
function ofInstance(
  context: LifecycleContext,
  { id, tenant, document: instance }: InstanceRecord,
  hostId: HostId,
): readonly FunctionOnHost[] {
  const pkg = placedPackageOf(context.catalog, instance);
  const vnfInstanceId = id as VnfInstanceId;
  const copies = wantedVnfcs(claimOf(instance));
  const counts =
    copies.length > 0
      ? countsOfWanted(claimOf(instance))
      : countsOfLevel(pkg.descriptor, instance.flavour, instance.level).counts;
  const dependents = context.index.dependentsOf(vnfInstanceId);
  const input: RequestInput = { vnfInstanceId, tenant, instance, function: pkg, counts, dependents };
  return pkg.descriptor.units
    .filter(({ name }) => (counts[name] ?? 0) > 0 || instance.coverage !== undefined)
    .flatMap(({ name: unit }) => {
      const ofUnit = copies.filter((copy) => copy.unit === unit);
      const moved = ofUnit.find((copy) => copy.hostId === hostId) ?? ofUnit.at(-1);
      const kept = copies.filter((copy) => copy !== moved);
      const override = overrideOf(vnfInstanceId, instance, toWantedUnits(kept));
      return standingOf(context, input, unit, hostId, [override]).map((standing) => ({
        vnfInstanceId,
        ...view(
          instance.name,
          standing,
          ofUnit.filter((copy) => copy.hostId === hostId),
        ),
      }));
    });
}

function standingOf(
  context: LifecycleContext,
  input: RequestInput,
  unit: string,
  hostId: HostId,
  overrides: readonly WantedOverride[],
): readonly HostStanding[] {
  const request = toPlacementRequest(input);
  const units = request.units.filter((demand) => demand.unit === unit);
  const rules = rulesOfService(context.state, input.instance.nsInstanceId);
  const { descriptor } = input.function;
  const isLost = (each: HostId): boolean =>
    judgeHost(context.state, context.liveness, descriptor, each).isLost;
  const explain = () =>
    context.inventory.look(
      (index) => explainHost(index, hostId, { ...request, units }, rules),
      overrides,
      isLost,
    );
  return explain() ?? [{ unit, against: ['has not told its facts yet'], candidates: 0 }];
}

/** A function that is not there yet, with one instance and nothing bound. @throws IotmanoError `not-found`, `unprocessable` */
function ofPackage(
  context: LifecycleContext,
  tenant: TenantId,
  vnfPkgId: string,
  hostId: HostId,
): FunctionOnHost[] {
  const pkg = onboarded(context, tenant, vnfPkgId);
  const { metadata, units } = pkg.descriptor;
  const input: RequestInput = {
    // A package has no instance: its own id stands for one, which nothing is placed for.
    vnfInstanceId: vnfPkgId as VnfInstanceId,
    tenant,
    instance: { name: metadata.productName, bind: {}, constraints: {} },
    function: pkg,
    counts: countsOfLevel(pkg.descriptor, undefined, undefined).counts,
    dependents: [],
  };
  return units.flatMap(({ name }) =>
    standingOf(context, input, name, hostId, []).map((standing) => view(metadata.productName, standing, [])),
  );
}

function onboarded(
  { state, catalog }: LifecycleContext,
  tenant: TenantId,
  vnfPkgId: string,
): FunctionPackage {
  const record = state.get('vnf-package', vnfPkgId);
  if (record?.tenant !== tenant)
    throw new IotmanoError('not-found', `there is no VNF package ${vnfPkgId}`, { vnfPkgId });
  const pkg = catalog.find(record.id as FunctionPackage['vnfPkgId']);
  if (pkg !== undefined) return pkg;
  throw new IotmanoError(
    'unprocessable',
    `package ${vnfPkgId} is ${record.document.onboardingState}: upload its content first`,
  );
}

function view(
  name: string,
  { unit, against, rating, rank, candidates }: HostStanding,
  copiesHere: readonly WantedVnfc[],
): FunctionOnHost {
  return {
    function: name,
    unit,
    instancesHere: copiesHere.length,
    fits: against.length === 0,
    against: [...against],
    ...(rating === undefined ? {} : { score: rating.score, parts: rating.parts }),
    ...(rank === undefined ? {} : { rank }),
    candidates,
  };
}
