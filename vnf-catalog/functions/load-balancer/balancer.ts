import { IotmanoError, messageOf, systemClock } from '../../../kernel/index.ts';
import {
  requiredService,
  type FunctionBindings,
  type FunctionContext,
  type RunningFunction,
} from '../../shared/index.ts';
import { resolveBackEnds } from './back-ends.ts';
import { HaProxy } from './haproxy.ts';
import { emptySlots, planSlots, type SlotPlan } from './plan-slots.ts';
import { renderProxyConfig, type ProxySettings } from './proxy-config.ts';
import type { ProxyFigures } from './proxy-figures.ts';
import { reportFigures } from './report-figures.ts';

/** Back ends that there is room for. */
const SLOTS = 64;
const LOOK_MILLISECONDS = 250;

/**
 * The balancer of this process: HAProxy, told of the back ends that the bindings name. When they change it is told in place; when settings
 * change it takes over a new configuration.
 */
export async function startBalancer(
  { bindings, metrics, log, signal, fail }: FunctionContext,
  directory: string,
  settingsOf: (bindings: FunctionBindings) => ProxySettings,
): Promise<RunningFunction> {
  const planFor = async (current: FunctionBindings, before = emptySlots(SLOTS)): Promise<SlotPlan> => {
    const plan = planSlots(
      before,
      await resolveBackEnds(requiredService(current, 'backends').endpoints, (host, reason) =>
        log.error({ host, reason }, 'a back end is left out: its name cannot be resolved'),
      ),
    );
    if (plan.left.length > 0)
      log.error({ left: plan.left, slots: SLOTS }, 'there are more back ends than slots');
    return plan;
  };
  let settings = settingsOf(bindings);
  let { slots } = await planFor(bindings);
  const proxy = HaProxy.start(directory, renderProxyConfig(settings, slots), fail);
  let figures: ProxyFigures | undefined;
  const look = async (): Promise<void> => {
    while (!signal.aborted) {
      figures = await proxy.figures().catch(() => undefined);
      await systemClock.sleep(LOOK_MILLISECONDS, signal);
    }
  };
  void look();
  reportFigures(metrics, () => figures);

  return {
    notReady: () => {
      if (figures === undefined) return 'haproxy does not answer';
      return figures.ready > 0 ? undefined : 'no back end is ready';
    },
    reload: async (current) => {
      const wanted = settingsOf(current);
      const plan = await planFor(current, slots);
      const config = renderProxyConfig(wanted, plan.slots);
      // What it was told of in part cannot be known: it starts anew from its configuration.
      await proxy.tell(plan.commands, config).catch((error: unknown) => fail(messageOf(error)));
      slots = plan.slots;
      if (JSON.stringify(wanted) === JSON.stringify(settings)) return;
      if (!(await proxy.takeOver(config)))
        throw new IotmanoError('unavailable', 'haproxy has not taken over its new settings: it says why');
      settings = wanted;
    },
    stop: () => proxy.stop(),
  };
}
