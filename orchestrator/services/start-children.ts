import { IotmanoError, type LcmOpOccId } from '../../kernel/index.ts';
import {
  instantiationOf,
  packageOf,
  parseChange,
  requireScalable,
  startOperation,
  type InstantiateVnf,
  whyIrreversible,
} from '../lifecycle/index.ts';
import type { Write } from '../store/index.ts';
import {
  constituentsOf,
  resolvedService,
  type ActiveService,
  type ConstituentRecord,
  type ServicesContext,
} from './context.ts';
import { observeService } from './observe-service.ts';
import { bindIds } from './plan-service.ts';
import type { ChildOperation } from './plan-next-step.ts';
import { requestFor } from './scale-service.ts';
import { changeBackOf, changeRequestOf } from './update-service.ts';

/** Starts operations of functions and notes them in the service's operation, in one commit. */
export function startChildren(
  context: ServicesContext,
  active: ActiveService,
  operation: ChildOperation,
  names: readonly string[],
): void {
  const writes: Write[] = [];
  const started: Record<string, LcmOpOccId> = {};
  const { context: functions } = context.lifecycle;
  for (const child of constituentsOf(context, active.instance)) {
    if (!names.includes(child.name)) continue;
    if (operation === 'CHANGE_VNFPKG') {
      const { id, writes: ofChange } = startChange(context, active, child);
      writes.push(...ofChange);
      started[child.name] = id;
      continue;
    }
    const params = paramsOf(context, active, child, operation);
    const changes =
      operation === 'INSTANTIATE' ? instantiationOf(functions, child.record, params as InstantiateVnf) : {};
    const { id, writes: ofChild } = startOperation(
      functions,
      child.vnfInstanceId,
      child.record.tenant,
      child.record,
      {
        operation,
        operationParams: { ...params },
        nsLcmOpOccId: active.operation.id as LcmOpOccId,
        isAutomaticInvocation: active.operation.document.isAutomaticInvocation,
      },
      changes,
    );
    writes.push(...ofChild);
    started[child.name] = id;
  }
  functions.commit([...writes, withChildren(active, started)]);
}

/** Why operations of functions cannot be started, as things are now; undefined: they can. */
export function obstacleTo(
  context: ServicesContext,
  active: ActiveService,
  operation: ChildOperation,
  names: readonly string[],
): string | undefined {
  if (operation === 'SCALE')
    return whyRefused(context, active, names, (child) => void scaleRequestOf(context, active, child));
  if (operation !== 'CHANGE_VNFPKG') return undefined;
  if (active.operation.document.state === 'ROLLING_BACK') return whyNoWayBack(context, active, names);
  return whyRefused(context, active, names, (child) =>
    parseChange(context.lifecycle.context, child.record, changeRequestOf(active, child)),
  );
}

/** On the way back: the state that a version has written, the one before it may not read. */
function whyNoWayBack(
  context: ServicesContext,
  active: ActiveService,
  names: readonly string[],
): string | undefined {
  return constituentsOf(context, active.instance)
    .filter(({ name }) => names.includes(name))
    .map((child) => changeBackOf(context, active, child))
    .map(({ before, target, from, to }) =>
      context.lifecycle.context.catalog.find(target.vnfPkgId) === undefined
        ? `there is no way back: the package of ${to} has been deleted`
        : whyIrreversible(context.lifecycle.context, { before: target, target: before, from: to, to: from }),
    )
    .find((reason) => reason !== undefined);
}

/** What has become impossible since the operation was accepted: a package has been disabled, a function changed. */
function whyRefused(
  context: ServicesContext,
  active: ActiveService,
  names: readonly string[],
  check: (child: ConstituentRecord) => unknown,
): string | undefined {
  for (const child of constituentsOf(context, active.instance).filter(({ name }) => names.includes(name)))
    try {
      check(child);
    } catch (error) {
      if (!(error instanceof IotmanoError) || error.status >= 500) throw error;
      return `${child.name}: ${error.message}; mend that and retry, or roll back`;
    }
  return undefined;
}

/** A change to the version that the update names; on the way back, to the one that was before. */
function startChange(context: ServicesContext, active: ActiveService, child: ConstituentRecord) {
  const { context: functions } = context.lifecycle;
  const isBack = active.operation.document.state === 'ROLLING_BACK';
  const rollout = isBack
    ? changeBackOf(context, active, child)
    : parseChange(functions, child.record, changeRequestOf(active, child));
  const request = isBack ? undefined : changeRequestOf(active, child);
  const { id: vnfdId } = packageOf(functions.catalog, rollout.target.vnfPkgId).descriptor.metadata;
  return startOperation(functions, child.vnfInstanceId, child.record.tenant, child.record, {
    operation: 'CHANGE_VNFPKG',
    operationParams: { ...(request ?? { vnfdId, additionalParams: { cause: 'the service goes back' } }) },
    nsLcmOpOccId: active.operation.id as LcmOpOccId,
    rollout,
  });
}

function paramsOf(
  context: ServicesContext,
  active: ActiveService,
  constituent: ConstituentRecord,
  childOperation: ChildOperation,
): object {
  const { instance, operation } = active;
  const { name } = constituent;
  switch (childOperation) {
    case 'INSTANTIATE':
      return instantiateRequest(context, instance, name);
    case 'TERMINATE':
      return { terminationType: 'GRACEFUL' };
    case 'SCALE':
      return scaleRequestOf(context, active, constituent);
    default: {
      const data = operation.document.operationParams['healVnfData'] as
        readonly { readonly vnfInstanceId: string; readonly cause?: string }[] | undefined;
      const cause = data?.find(
        ({ vnfInstanceId }) => vnfInstanceId === instance.document.constituents[name],
      )?.cause;
      return { cause: cause ?? 'the service is being healed' };
    }
  }
}

/** @throws IotmanoError `conflict` or `unprocessable` where the function cannot be scaled so any more */
function scaleRequestOf(context: ServicesContext, active: ActiveService, child: ConstituentRecord): object {
  const { document } = active.operation;
  const steps = observeService(context, active).find(({ name }) => name === child.name)?.scale?.steps ?? 0;
  const aspect = document.scaling?.functions[child.name]?.aspect ?? '';
  const request = requestFor(aspect, steps);
  const pkg = packageOf(context.lifecycle.context.catalog, child.record.document.vnfPkgId);
  requireScalable(pkg, child.record.document, request);
  const cause = document.state === 'ROLLING_BACK' ? 'the service goes back' : 'the service is being scaled';
  return { ...request, additionalParams: { cause } };
}

function instantiateRequest(
  context: ServicesContext,
  instance: ActiveService['instance'],
  name: string,
): InstantiateVnf {
  const constituent = resolvedService(context, instance).constituents.find((item) => item.name === name);
  if (constituent === undefined) throw new IotmanoError('internal', `the service has no function ${name}`);
  const { flavour, level, config, coverage } = constituent;
  return {
    flavourId: flavour,
    instantiationLevelId: level,
    vnfConfigurableProperties: config,
    additionalParams: {
      bind: bindIds(constituent, (other) => idOf(instance, other)),
      ...(coverage === undefined ? {} : { coverage }),
    },
  };
}

/** Id of a function of the service. */
export function idOf({ document }: ActiveService['instance'], name: string) {
  const id = document.constituents[name];
  if (id === undefined) throw new IotmanoError('internal', `the service has no function ${name}`);
  return id;
}

/** The service's operation with operations of functions noted in it. */
export function withChildren(active: ActiveService, more: Readonly<Record<string, LcmOpOccId>>): Write {
  return noted(active, { children: { ...active.operation.document.children, ...more } });
}

/** The service's operation with the operation of a function noted as one that it undoes. */
export function withUndone(active: ActiveService, name: string, id: LcmOpOccId): Write {
  return noted(active, { undone: { ...active.operation.document.undone, [name]: id } });
}

function noted(
  { operation }: ActiveService,
  changes: Partial<ActiveService['operation']['document']>,
): Write {
  const { id, revision, document } = operation;
  return {
    op: 'update',
    kind: 'ns-lcm-op-occ',
    id,
    expectedRevision: revision,
    document: { ...document, ...changes },
  };
}
