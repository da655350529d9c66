import { IotmanoError } from '../../kernel/index.ts';
import { describeExit } from '../supervision/index.ts';
import { bindingsForContainer, bindingsText, boundNetworks, hashText } from './bindings-text.ts';
import type { ContainerView } from './container-view.ts';
import { createOptions, userFor, volumesOf, type CreateInput } from './create-options.ts';
import { hasStatus, refusalOf } from './engine-errors.ts';
import { packArchive, type ArchiveEntry } from './instance-archive.ts';
import {
  bindingsEntries,
  fileEntries,
  hostFactsOf,
  INSTANCE_DIRECTORY,
  ownerOf,
  volumeRootEntry,
} from './instance-files.ts';
import { SCOPE_LABEL, type ContainerMark } from './labels.ts';
import { createVolume } from './notes.ts';
import { portTaken, refusedPort } from './ports.ts';
import { settleFailure } from './settle-container.ts';
import type { SlotWish } from './slot-context.ts';
import { startFault } from './slot-record.ts';
import type { SlotState } from './slot-state.ts';

type Order = NonNullable<SlotWish['order']>;

/** Makes the container of a slot, with everything in it that it needs, and does not start it. */
export async function makeContainer(state: SlotState, wish: SlotWish, order: Order): Promise<void> {
  const { context } = state;
  const ports = await context.ports.resolve(state.name, order.spec.ports, state.record.ports);
  if (JSON.stringify(ports) !== JSON.stringify(state.record.ports)) await state.update({ ports });
  state.networks.add(order.network);
  const [input] = await Promise.all([
    createInput(state, wish, order, ports),
    context.networks.join(order.network, state.name),
  ]);
  await claimVolumes(state, input);
  const id = await create(state, input);
  try {
    await fill(state, order, input, id);
    for (const network of boundNetworks(order.bindings, context.neighbours))
      if (network !== order.network) await context.networks.connect(network, id);
  } catch (error) {
    // Half of a container must never be taken for a whole one.
    await context.engine
      .request({
        method: 'DELETE',
        path: `/containers/${id}`,
        query: { force: true },
        what: 'remove what was not finished',
      })
      .catch(() => undefined);
    await context.containers.look(id).catch(() => undefined);
    throw error;
  }
  state.wholeId = id;
  await context.containers.look(id);
  if (context.neighbours.add(state.name, order.network)) context.neighbourCame();
}

async function createInput(
  state: SlotState,
  { plan, epoch, specHash, key }: SlotWish,
  order: Order,
  ports: Readonly<Record<string, number>>,
): Promise<CreateInput> {
  const { context, slot } = state;
  const { spec, network, bindings, image, labels } = order;
  const bindingsHash = hashText(bindingsText(bindingsForContainer(bindings, context.neighbours)));
  const mark: ContainerMark = { key, slot, epoch, specHash, plan, ports, network, bindingsHash };
  const hostAddress = await context.address();
  const facts = hostFactsOf({ key, slot, spec, ports, hostId: context.hostId, hostAddress });
  const { scope, engine } = context;
  return { scope, mark, spec, labels, facts, image, isLocal: engine.isLocal, engine: await context.traits() };
}

/** Kept volumes may be there already: only where they are ours. The engine makes the others along with the container. */
async function claimVolumes(state: SlotState, { scope, mark, spec }: CreateInput): Promise<void> {
  const volumes = volumesOf(scope, mark, spec);
  await Promise.all(
    volumes.map(async ({ name, labels }) => {
      const found = await createVolume(state.context.engine, name, labels);
      if (found[SCOPE_LABEL] === scope) return;
      throw new IotmanoError(
        'driver-failed',
        `the engine has a volume ${name} that is not ours; remove it or give it another name`,
        { volume: name },
      );
    }),
  );
}

async function create(state: SlotState, input: CreateInput): Promise<string> {
  const { engine, containers } = state.context;
  try {
    const { Id } = await engine.request<{ Id: string }>({
      method: 'POST',
      path: '/containers/create',
      query: { name: state.name },
      body: createOptions(input),
      what: `make the container ${state.name}`,
      weight: 'heavy',
      timeoutSeconds: 120,
    });
    return Id;
  } catch (error) {
    if (hasStatus(error, 404))
      throw new IotmanoError(
        'unavailable',
        `the image ${input.image.reference} is no longer on the engine; it is fetched with the next apply`,
        {},
        error,
      );
    if (!hasStatus(error, 409)) throw error;
    if ((await containers.look(state.name)) !== undefined)
      throw new IotmanoError(
        'unavailable',
        `the container ${state.name} came to be there meanwhile`,
        {},
        error,
      );
    throw new IotmanoError(
      'driver-failed',
      `the engine has a container ${state.name} that is not ours; remove it or give it another name`,
      { container: state.name },
    );
  }
}

/** Puts files and bindings in, and makes volumes writable for a user other than root. */
async function fill(state: SlotState, order: Order, input: CreateInput, id: string): Promise<void> {
  const { spec, facts } = input;
  const owner = ownerOf(userFor(spec, input.image.user));
  const isRoot = owner.isKnown && owner.uid === 0;
  const bindings =
    spec.bindings === undefined
      ? []
      : bindingsEntries(
          spec.bindings,
          bindingsText(bindingsForContainer(order.bindings, state.context.neighbours)),
          0,
          owner,
        );
  const files = [...fileEntries(spec, facts, owner), ...bindings];
  if (!isRoot || files.length > 1) await putEntries(state, id, INSTANCE_DIRECTORY, files);
  if (isRoot) return;
  for (const { mount } of spec.volumes) await putEntries(state, id, mount, [volumeRootEntry(mount, owner)]);
}

export async function putEntries(
  state: SlotState,
  id: string,
  directory: string,
  entries: readonly ArchiveEntry[],
): Promise<void> {
  const { engine, clock } = state.context;
  await engine.request({
    method: 'PUT',
    path: `/containers/${id}/archive`,
    query: { path: directory },
    file: packArchive(entries, new Date(clock.now())),
    what: `put files into the container ${state.name}`,
    timeoutSeconds: 60,
  });
}

/** Starts the container. What stands against it is told, and tried again. */
export async function startContainer(state: SlotState, wish: SlotWish, view: ContainerView): Promise<void> {
  try {
    await state.act(view, 'start');
  } catch (error) {
    await takeRefusal(state, wish, view, error);
  }
}

async function takeRefusal(
  state: SlotState,
  wish: SlotWish,
  view: ContainerView,
  error: unknown,
): Promise<void> {
  const { context } = state;
  const said = refusalOf(error)?.said ?? '';
  const number = refusedPort(said);
  if (number !== undefined) return takeTakenPort(state, wish, view, number);
  if (hasStatus(error, 404) && /network .* not found/i.test(said)) {
    for (const network of state.networks) {
      context.networks.missing(network);
      await context.networks.join(network, state.name);
    }
    throw new IotmanoError('unavailable', `a network of ${state.name} was gone; it is made anew`, {}, error);
  }
  if (/docker-init|init binary/i.test(said) && /not found|no such file/i.test(said)) {
    context.withoutInit();
    await context.engine.request({
      method: 'DELETE',
      path: `/containers/${view.id}`,
      query: { force: true },
      what: 'remove a container',
    });
    await context.containers.look(view.id);
    return;
  }
  const code = startFault(said);
  if (code === undefined) throw error;
  await settleFailure(state, wish.plan, describeExit(code, wish.plan.command), code, context.clock.now());
}

async function takeTakenPort(
  state: SlotState,
  { plan, order }: SlotWish,
  view: ContainerView,
  number: number,
): Promise<void> {
  const { context } = state;
  const port = plan.ports.find(({ name }) => view.mark.ports[name] === number);
  if (port === undefined || port.number !== undefined || order === undefined)
    throw portTaken(port ?? { name: 'a port', protocol: 'tcp', expose: false }, number);
  context.log.info(
    { instance: state.name, port: number },
    'a port that was chosen is taken; another one is chosen',
  );
  context.ports.refuse(number);
  // The number is in its environment: only another container can have another one.
  await state.act(view, 'remove', { query: { force: true } });
}
