import { IotmanoError, type LcmOpOccId, type NsInstanceId } from '../../kernel/index.ts';
import {
  activeOperation,
  cancelOperation,
  failOperation,
  problemRecord,
  retryOperation,
  rollBackOperation,
  whyIrreversible,
} from '../lifecycle/index.ts';
import type { Write } from '../store/index.ts';
import { activeService, constituentsOf, type ActiveService, type ServicesContext } from './context.ts';
import { observeService } from './observe-service.ts';
import { NEW_ATTEMPT, freed, moveServiceOperation, updateService } from './operation-records.ts';
import { planNextServiceStep } from './plan-next-step.ts';
import { idOf, obstacleTo, startChildren, withChildren, withUndone } from './start-children.ts';

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
      const obstacle = obstacleTo(context, active, step.operation, step.names);
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
      rollBackChild(context, active, step.name);
      return true;
    case 'rollBack':
      rollBack(context, active, step.detail);
      return true;
    case 'rolledBack':
      endRolledBack(context, active);
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
  const child = childOf(context, active, name);
  whereThereIsRoom(context, active, name, () => retryOperation(context.lifecycle.context, child));
  return true;
}

/** Where others have taken the room of a function, the service waits for an operator, who can make room. */
function whereThereIsRoom(
  context: ServicesContext,
  active: ActiveService,
  name: string,
  act: () => void,
): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof IotmanoError) || error.kind !== 'capacity') throw error;
    failTemporarily(context, active, `${name}: ${error.message}`);
  }
}

/** A function that has no way back stops that of the service, too, until an operator has decided. */
function rollBackChild(context: ServicesContext, active: ActiveService, name: string): void {
  const { context: functions } = context.lifecycle;
  const child = childOf(context, active, name);
  const { rollout } = child.operation.document;
  const obstacle = rollout === undefined ? undefined : whyIrreversible(functions, rollout);
  if (obstacle === undefined) {
    const note = withUndone(active, name, child.operation.id as LcmOpOccId);
    whereThereIsRoom(context, active, name, () => rollBackOperation(functions, child, note));
    return;
  }
  failTemporarily(context, active, `${name}: ${obstacle}`);
}

/** PROCESSING → FAILED_TEMP → ROLLING_BACK: a function has gone back by itself, and those that had changed before follow. */
function rollBack({ clock, lifecycle }: ServicesContext, { operation }: ActiveService, detail: string): void {
  const error = problemRecord('driver-failed', detail);
  const failed = moveServiceOperation(clock, operation, 'failTemporarily', { error });
  const temporary = { ...operation, document: failed.document };
  lifecycle.context.commit([moveServiceOperation(clock, temporary, 'rollback', NEW_ATTEMPT)]);
}

function endRolledBack({ clock, lifecycle }: ServicesContext, { instance, operation }: ActiveService): void {
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

/** An automatic operation has nobody who would retry it: it ends, with those of its functions, and the next one follows when it is time. */
function failTemporarily(context: ServicesContext, active: ActiveService, detail: string): void {
  const { instance, operation } = active;
  const error = problemRecord('driver-failed', detail);
  const failed = moveServiceOperation(context.clock, operation, 'failTemporarily', { error });
  const functions = context.lifecycle.context;
  if (!operation.document.isAutomaticInvocation) {
    functions.commit([failed]);
    return;
  }
  const stopped = constituentsOf(context, instance)
    .flatMap(({ vnfInstanceId }) => activeOperation(functions, vnfInstanceId) ?? [])
    .filter(
      ({ operation: { document } }) =>
        document.nsLcmOpOccId === operation.id && document.state === 'FAILED_TEMP',
    );
  functions.commit([
    ...stopped.flatMap((child) => failOperation(functions, child)),
    moveServiceOperation(context.clock, { ...operation, document: failed.document }, 'fail'),
    updateService(instance, freed(instance.document)),
  ]);
}
