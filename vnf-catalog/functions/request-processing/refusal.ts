import { IotmanoError } from '../../../kernel/index.ts';
import { RSC, type ResponsePrimitive } from '../../shared/index.ts';

/** A request that is refused with a response status code, and words for people. */
export function refusal(rsc: number, debug: string): IotmanoError {
  return new IotmanoError('unprocessable', debug, { rsc });
}

export function notFound(to: string): IotmanoError {
  return refusal(RSC.notFound, `there is no resource "${to}"`);
}

export function noPrivilege(originator: string, what: string): IotmanoError {
  return refusal(RSC.originatorHasNoPrivilege, `"${originator}" has no privilege to ${what}`);
}

/** The answer to whatever was thrown: a refusal's own, `retry` where trying again may help, else an internal error. */
export function responseTo(error: unknown): ResponsePrimitive {
  if (!(error instanceof IotmanoError)) {
    return { rsc: RSC.internalServerError, pc: { 'm2m:dbg': 'a fault of request processing' } };
  }
  if (error.kind === 'transient') return { rsc: RSC.targetNotReachable, retry: true };
  const rsc = error.context['rsc'];
  return {
    rsc: typeof rsc === 'number' ? rsc : RSC.internalServerError,
    pc: { 'm2m:dbg': error.message },
  };
}
