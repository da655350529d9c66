import { IotmanoError } from '../../kernel/index.ts';

/**
 * The requests that have no answer yet. Each has a controller of its own: a signal for each that follows one signal for all
 * (`AbortSignal.any`) would cost a waiting poll more memory than all else that it keeps.
 */
export interface RequestsUnderWay {
  /** Its signal is aborted already where the process stops. */
  begin(): AbortController;
  end(request: AbortController): void;
  /** Aborts what is under way and what comes still. */
  stop(): void;
}

export function createRequestsUnderWay(): RequestsUnderWay {
  const underWay = new Set<AbortController>();
  let reason: IotmanoError | undefined;
  return {
    begin: () => {
      const request = new AbortController();
      underWay.add(request);
      if (reason !== undefined) request.abort(reason);
      return request;
    },
    end: (request) => void underWay.delete(request),
    stop: () => {
      reason = new IotmanoError('unavailable', 'the orchestrator is stopping; try again shortly');
      for (const request of underWay) request.abort(reason);
    },
  };
}
