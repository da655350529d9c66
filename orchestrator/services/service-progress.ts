import { activeService, type ServicesContext } from './context.ts';
import { observeService } from './observe-service.ts';

/** How far an operation of a service is. */
export interface ServiceProgress {
  /** Functions of the service. */
  readonly wanted: number;
  /** Functions that are as the operation wants them. */
  readonly ready: number;
  readonly waitingFor?: string;
}

/** Undefined once the operation is over. */
export function serviceProgress(context: ServicesContext, id: string): ServiceProgress | undefined {
  const nsInstanceId = context.state.get('ns-lcm-op-occ', id)?.document.nsInstanceId;
  const active = nsInstanceId === undefined ? undefined : activeService(context, nsInstanceId);
  if (active === undefined || active.operation.id !== id) return undefined;
  const { operation, state } = active.operation.document;
  const isEnding = operation === 'TERMINATE' || state === 'ROLLING_BACK';
  const constituents = observeService(context, active);
  const open = constituents.filter(({ isInstantiated, isWell, update, scale, active }) => {
    if (operation === 'SCALE')
      return scale !== undefined && (scale.steps !== 0 || active?.operation === 'SCALE');
    if (operation === 'UPDATE') return update === (state === 'ROLLING_BACK' ? 'done' : 'open');
    return isEnding ? isInstantiated : !isInstantiated || (operation === 'HEAL' && !isWell);
  });
  return {
    wanted: constituents.length,
    ready: constituents.length - open.length,
    ...(open.length === 0 ? {} : { waitingFor: open.map(({ name }) => name).join(', ') }),
  };
}
