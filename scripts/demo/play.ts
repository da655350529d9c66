import {
  loadSensors,
  playSensors,
  registerSensors,
  type PlayAccount,
  type Sensor,
} from '../../vnf-catalog/demo-devices.ts';
import type { FunctionInstance, Installation } from './installation.ts';
import { until } from './processes.ts';

/** What the devices did, and how to ask for more. */
export interface Play {
  readonly account: PlayAccount;
  readonly sensors: readonly Sensor[];
  readonly gateways: readonly string[];
}

export interface TrafficFigures {
  readonly unique: number;
  readonly duplicates: number;
  readonly subscriptions: readonly string[];
}

export interface PlayTerms {
  /** Ends the play; a device that waits for an answer still gets it. */
  readonly ending: AbortSignal;
  /** Ends it at once. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

const ANSWER_MILLISECONDS = 30_000;
/** A step of five minutes takes a quarter of a second. */
const SPEED = 1200;
const SUBSCRIBE_SECONDS = 20;

/** Plays the road sensors through the gateways of the virtual CSE until it is told to end. */
export async function play(installation: Installation, { ending, signal, say }: PlayTerms): Promise<Play> {
  const sensors = loadSensors();
  const gateways = pointsOf(await installation.instances(), 'gateway');
  const options = { gateways, signal, deadlineMs: ANSWER_MILLISECONDS };
  await registerSensors(sensors, options);
  await until(
    'the subscription to every sensor',
    SUBSCRIBE_SECONDS,
    () => isSubscribed(installation, sensors.length),
    signal,
  );
  say(`${sensors.length} road sensors play through ${gateways.join(', ')}`);
  const account = await playSensors({ ...options, sensors, ending, speed: SPEED });
  return { account, sensors, gateways };
}

/** The application finds sensors by discovery: only what comes after its subscription is notified. */
async function isSubscribed(installation: Installation, count: number): Promise<boolean> {
  return ((await trafficFigures(installation))?.subscriptions.length ?? 0) >= count;
}

/** What `road-traffic` tells; undefined where it does not answer now. */
export async function trafficFigures(installation: Installation): Promise<TrafficFigures | undefined> {
  const [url] = pointsOf(await installation.instances(), 'road-traffic');
  if (url === undefined) return undefined;
  return (await (await fetch(`${url}/figures`)).json()) as TrafficFigures;
}

/** Where the running copies of a constituent answer HTTP. */
export function pointsOf(instances: readonly FunctionInstance[], constituent: string): string[] {
  return instances
    .filter((instance) => instance.function === constituent && instance.state === 'RUNNING')
    .flatMap(({ endpoints }) => endpoints.filter((endpoint) => endpoint.startsWith('http=')))
    .map((endpoint) => `http://${endpoint.slice('http='.length)}`);
}
