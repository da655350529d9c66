import { messageOf } from '../../kernel/index.ts';
import { statusOf } from './api-error.ts';
import type { DriverContext } from './context.ts';
import { LABEL, NOTE, slotName } from './names.ts';
import { planPorts, portName, type PortPlan } from './plan-ports.ts';
import { readCopy, type CopyRecord } from './records.ts';
import { serviceOf } from './slot-objects.ts';
import type { NumberedPlan, SlotPlan } from './slot-plan.ts';

/** Gives every port its number, or says why one cannot have it now. */
export async function numberPorts(
  context: DriverContext,
  plan: SlotPlan,
): Promise<{ readonly numbered: NumberedPlan; readonly obstacle?: string }> {
  const { ports } = plan.workload.spec;
  const { key } = plan.workload;
  const portPlan = planPorts(key, plan.slot, ports, (number) => context.nodePorts.has(number));
  const published = await publish(context, plan, portPlan);
  if ('isOtherRange' in published) return numberPorts(context, plan);
  const numbers = ports.map(({ name, number }) => [
    name,
    portPlan.inner[name] ?? published.numbers[name] ?? number ?? 0,
  ]);
  const numbered = {
    ...plan,
    ports: Object.fromEntries(numbers) as Record<string, number>,
    onMachine: new Set(portPlan.onMachine.map(({ name }) => name)),
  };
  return published.obstacle === undefined ? { numbered } : { numbered, obstacle: published.obstacle };
}

type Published =
  | { readonly numbers: Readonly<Record<string, number>>; readonly obstacle?: string }
  | { readonly isOtherRange: true };

async function publish(
  context: DriverContext,
  plan: SlotPlan,
  { published }: PortPlan,
  known = knownPorts(context, plan),
): Promise<Published> {
  const { client, view, nodePorts } = context;
  const { ports } = plan.workload.spec;
  const name = slotName(plan.workload.key, plan.slot);
  if (published.length === 0) {
    const service = view.services.get(plan.namespace, name);
    if (service !== undefined) await client.delete('service', plan.namespace, name);
    return { numbers: {} };
  }
  try {
    const service = await client.apply('service', serviceOf(plan, published, known));
    view.services.learn(service);
    const numbers = (service.spec?.ports ?? []).map((port) => {
      const index = ports.findIndex((_, at) => portName(at) === port.name);
      return [ports[index]?.name ?? '', port.nodePort ?? 0];
    });
    return { numbers: Object.fromEntries(numbers) as Record<string, number> };
  } catch (error) {
    if (statusOf(error) !== 422) throw error;
    const message = messageOf(error);
    if (nodePorts.learn(message)) return { isOtherRange: true };
    const taken = /nodePort: Invalid value: (\d+): provided port is already allocated/.exec(message);
    if (taken === null) throw error;
    const port = published.find(({ number }) => number === Number(taken[1]));
    // Somebody has it that was ours, while our Service was gone: another one will do.
    if (port === undefined) return publish(context, plan, { published, onMachine: [], inner: {} }, {});
    return { numbers: {}, obstacle: `port ${taken[1]} (${port.name}) is taken` };
  }
}

/** The numbers that the ports of the slot have until now. */
function knownPorts({ view }: DriverContext, { workload, slot, namespace }: SlotPlan): CopyRecord['ports'] {
  const [set] = view.setsWith(namespace, LABEL.slot, slotName(workload.key, slot));
  const ports = (set && readCopy(set.object, NOTE.copy)?.ports) ?? {};
  return Object.fromEntries(Object.entries(ports).filter(([, number]) => number !== 0));
}
