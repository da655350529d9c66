import { IotmanoError, type LcmOpOccId, type NsInstanceId } from '../../kernel/index.ts';
import {
  activeOperation,
  cancelOperation,
  failOperation,
  instantiationOf,
  packageOf,
  parseChange,
  problemRecord,
  retryOperation,
  rollBackOperation,
  startOperation,
  type InstantiateVnf,
  whyIrreversible,
} from '../lifecycle/index.ts';
import type { Write } from '../store/index.ts';
import {
  activeService,
  constituentsOf,
  resolvedService,
  type ActiveService,
  type ConstituentRecord,
  type ServicesContext,
} from './context.ts';
import { observeService } from './observe-service.ts';
import { freed, moveServiceOperation, updateService } from './operation-records.ts';
import { bindIds } from './plan-service.ts';
import { changeBackOf, changeRequestOf } from './update-service.ts';
import { planNextServiceStep, type ChildOperation } from './plan-next-step.ts';

/** Does the next step of the operation that a service is busy with. Whether anything was committed. */
export function advanceService(context: ServicesContext, nsInstanceId: NsInstanceId): boolean {
  const active = activeService(context, nsInstanceId);
  if (active === undefined) return false;
  const healed = healedNames(context, active);
  const step = planNextServiceStep({
    operation: active.operation.document,
    constituents: observeService(context, active),
    ...(healed === undefined ? {} : { healed }),
  });
  const { commit } = context.lifecycle.context;
  switch (step.type) {
    case 'start': {
      const obstacle =
        step.operation === 'CHANGE_VNFPKG'
          ? (whyNoWayBack(context, active, step.names) ?? whyUnchangeable(context, active, step.names))
          : undefined;
      if (obstacle === undefined) startChildren(context, active, step.operation, step.names);
      else failTemporarily(context, active, obstacle);
      return true;
    }
    case 'adopt':
      commit([withChildren(active, adopted(context, active, step.names))]);
      return true;
    case 'retryChild':
      return retryChild(context, active, step.name);
    case 'cancelChild':
      commit(cancelOperation(context.lifecycle.context, childOf(context, active, step.name), 'GRACEFUL'));
      return true;
    case 'failChild':
      commit(failOperation(context.lifecycle.context, childOf(context, active, step.name)));
      return true;
    case 'rollBackChild':
      rollBackOperation(context.lifecycle.context, childOf(context, active, step.name));
      return true;
    case 'rollBack':
      rollBack(context, active, step.detail);
      return true;
    case 'rolledBack':
      endUpdate(context, active);
      return true;
    case 'complete':
      complete(context, active);
      return true;
    case 'dispose':
      dispose(context, active);
      return true;
    case 'failTemporarily':
      failTemporarily(context, active, step.detail);
      return true;
    case 'wait':
      return false;
  }
}

/** HealNsRequest: `healVnfData` names functions; HEAL_RESET means all; else those that are not well. */
function healedNames(
  context: ServicesContext,
  { instance, operation }: ActiveService,
): readonly string[] | undefined {
  const { healVnfData, healNsData } = operation.document.operationParams as {
    readonly healVnfData?: readonly { readonly vnfInstanceId: string }[];
    readonly healNsData?: { readonly degreeHealing: string };
  };
  const constituents = constituentsOf(context, instance);
  if (healVnfData !== undefined)
    return constituents
      .filter(({ vnfInstanceId }) => healVnfData.some((item) => item.vnfInstanceId === vnfInstanceId))
      .map(({ name }) => name);
  return healNsData?.degreeHealing === 'HEAL_RESET' ? constituents.map(({ name }) => name) : undefined;
}

/** Starts operations of functions and notes them in the service's operation, in one commit. */
function startChildren(
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
      { operation, operationParams: { ...params }, nsLcmOpOccId: active.operation.id as LcmOpOccId },
      changes,
    );
    writes.push(...ofChild);
    started[child.name] = id;
  }
  functions.commit([...writes, withChildren(active, started)]);
}

/** On the way back: the state that a version has written, the one before it may not read. */
function whyNoWayBack(
  context: ServicesContext,
  active: ActiveService,
  names: readonly string[],
): string | undefined {
  if (active.operation.document.state !== 'ROLLING_BACK') return undefined;
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

/** What has become impossible since the update was accepted: a package has been disabled, a function changed. */
function whyUnchangeable(
  context: ServicesContext,
  active: ActiveService,
  names: readonly string[],
): string | undefined {
  if (active.operation.document.state === 'ROLLING_BACK') return undefined;
  for (const child of constituentsOf(context, active.instance).filter(({ name }) => names.includes(name)))
    try {
      parseChange(context.lifecycle.context, child.record, changeRequestOf(context, active, child));
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
    : parseChange(functions, child.record, changeRequestOf(context, active, child));
  const request = isBack ? undefined : changeRequestOf(context, active, child);
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
  { instance, operation }: ActiveService,
  { name }: ConstituentRecord,
  childOperation: ChildOperation,
): object {
  switch (childOperation) {
    case 'INSTANTIATE':
      return instantiateRequest(context, instance, name);
    case 'TERMINATE':
      return { terminationType: 'GRACEFUL' };
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

function idOf({ document }: ActiveService['instance'], name: string) {
  const id = document.constituents[name];
  if (id === undefined) throw new IotmanoError('internal', `the service has no function ${name}`);
  return id;
}

function withChildren({ operation }: ActiveService, more: Readonly<Record<string, LcmOpOccId>>): Write {
  const { id, revision, document } = operation;
  return {
    op: 'update',
    kind: 'ns-lcm-op-occ',
    id,
    expectedRevision: revision,
    document: { ...document, children: { ...document.children, ...more } },
  };
}

function adopted(
  { state }: ServicesContext,
  { instance }: ActiveService,
  names: readonly string[],
): Readonly<Record<string, LcmOpOccId>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const id = state.get('vnf-instance', idOf(instance, name))?.document.activeOpOcc;
      return id === undefined ? [] : [[name, id]];
    }),
  );
}

function childOf(context: ServicesContext, { instance }: ActiveService, name: string) {
  const child = activeOperation(context.lifecycle.context, idOf(instance, name));
  if (child === undefined) throw new IotmanoError('internal', `${name} is not busy`);
  return child;
}

function retryChild(context: ServicesContext, active: ActiveService, name: string): boolean {
  try {
    retryOperation(context.lifecycle.context, childOf(context, active, name));
  } catch (error) {
    if (!(error instanceof IotmanoError) || error.kind !== 'capacity') throw error;
    failTemporarily(context, active, `${name}: ${error.message}`);
  }
  return true;
}

/** PROCESSING → FAILED_TEMP → ROLLING_BACK: a function has gone back by itself, and those that had changed before follow. */
function rollBack({ clock, lifecycle }: ServicesContext, { operation }: ActiveService, detail: string): void {
  const error = problemRecord('driver-failed', detail);
  const failed = moveServiceOperation(clock, operation, 'failTemporarily', { error });
  const temporary = { ...operation, document: failed.document };
  lifecycle.context.commit([moveServiceOperation(clock, temporary, 'rollback', { children: {} })]);
}

function endUpdate({ clock, lifecycle }: ServicesContext, { instance, operation }: ActiveService): void {
  lifecycle.context.commit([
    moveServiceOperation(clock, operation, 'rolledBack'),
    updateService(instance, freed(instance.document)),
  ]);
}

function complete({ clock, lifecycle }: ServicesContext, { instance, operation }: ActiveService): void {
  lifecycle.context.commit([
    moveServiceOperation(clock, operation, 'complete'),
    updateService(instance, { ...freed(instance.document), state: 'INSTANTIATED' }),
  ]);
}

/** The end of a termination or of a rollback: the functions go with the service's instantiation. */
function dispose(context: ServicesContext, { instance, operation }: ActiveService): void {
  const { state } = operation.document;
  context.lifecycle.context.commit([
    ...constituentsOf(context, instance).map(({ record }): Write => ({
      op: 'delete',
      kind: 'vnf-instance',
      id: record.id,
      expectedRevision: record.revision,
    })),
    moveServiceOperation(context.clock, operation, state === 'ROLLING_BACK' ? 'rolledBack' : 'complete'),
    updateService(instance, {
      ...freed(instance.document),
      state: 'NOT_INSTANTIATED',
      constituents: {},
      parameters: {},
    }),
  ]);
}

function failTemporarily(
  { clock, lifecycle }: ServicesContext,
  { operation }: ActiveService,
  detail: string,
): void {
  lifecycle.context.commit([
    moveServiceOperation(clock, operation, 'failTemporarily', {
      error: problemRecord('driver-failed', detail),
    }),
  ]);
}
