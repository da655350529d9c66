import { IotmanoError } from '../../../kernel/index.ts';
import {
  McaClient,
  RESOURCE_TYPE,
  RSC,
  type Endpoint,
  type McaAnswer,
  type McaRequest,
} from '../../shared/index.ts';

export interface ApplicationSettings {
  readonly originator: string;
  readonly name: string;
  readonly cseName: string;
  /** Containers with this label are sensors. */
  readonly label: string;
  readonly token?: string;
  /** Where notifications reach this application. */
  readonly pointOfAccess: string;
}

const TIMEOUT_MILLISECONDS = 30_000;

/** The application's dealings with its CSE over Mca: registers itself, finds the sensors, subscribes to each. All of it can be repeated. */
export class Registration {
  readonly subscriptions = new Set<string>([]);
  #endpoints: readonly Endpoint[];
  #isRegistered = false;
  readonly #settings: () => ApplicationSettings;
  readonly #client = new McaClient();
  readonly #newId: () => string;

  constructor(endpoints: readonly Endpoint[], settings: () => ApplicationSettings, newId: () => string) {
    this.#endpoints = endpoints;
    this.#settings = settings;
    this.#newId = newId;
  }

  get isRegistered(): boolean {
    return this.#isRegistered;
  }

  rebind(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
  }

  /** Registers where that is still to be done, then subscribes to sensors that are new. */
  async converge(): Promise<void> {
    if (!this.#isRegistered) await this.#register();
    const { cseName, label } = this.#settings();
    const query = `fu=1&ty=${RESOURCE_TYPE.container}&lbl=${encodeURIComponent(label)}`;
    const answer = await this.#ask({ method: 'GET', path: `/${cseName}?${query}` });
    const found = answer.content['m2m:uril'];
    if (answer.rsc !== RSC.ok || !Array.isArray(found)) return;
    for (const sensor of found.map(String)) {
      if (!this.subscriptions.has(sensor)) await this.#subscribe(sensor);
    }
  }

  close(): void {
    this.#client.close();
  }

  async #register(): Promise<void> {
    const { cseName, name, pointOfAccess } = this.#settings();
    const poa = [pointOfAccess];
    const created = await this.#ask({
      method: 'POST',
      path: `/${cseName}`,
      ty: RESOURCE_TYPE.ae,
      content: { 'm2m:ae': { rn: name, api: 'Nroad-traffic', rr: true, srv: ['3', '4'], poa } },
    });
    // From an earlier run: only the point of access may have changed.
    const isKnown = created.rsc === RSC.originatorHasAlreadyRegistered || created.rsc === RSC.conflict;
    const answer = isKnown
      ? await this.#ask({ method: 'PUT', path: `/${cseName}/${name}`, content: { 'm2m:ae': { poa } } })
      : created;
    if (answer.rsc !== RSC.created && answer.rsc !== RSC.updated) throw refused('registration', answer);
    this.#isRegistered = true;
  }

  async #subscribe(sensor: string): Promise<void> {
    const { name, originator } = this.#settings();
    const content = {
      'm2m:sub': {
        rn: name,
        nu: [originator],
        nct: 1,
        enc: { net: [3], chty: [RESOURCE_TYPE.contentInstance] },
      },
    };
    const answer = await this.#ask({
      method: 'POST',
      path: `/${sensor}`,
      ty: RESOURCE_TYPE.subscription,
      content,
    });
    if (answer.rsc === RSC.created || answer.rsc === RSC.conflict) this.subscriptions.add(sensor);
    else throw refused(`subscription to ${sensor}`, answer);
  }

  /** At each gateway in turn, under one request id. */
  async #ask(request: Pick<McaRequest, 'method' | 'path' | 'ty' | 'content'>): Promise<McaAnswer> {
    const { originator, token } = this.#settings();
    const requestId = this.#newId();
    const whole: McaRequest = {
      ...request,
      originator,
      requestId,
      ...(token === undefined ? {} : { token }),
    };
    let last: unknown = new IotmanoError('unavailable', 'no gateway of the CSE is known yet');
    for (const { host, port } of this.#endpoints) {
      try {
        return await this.#client.request(`http://${host}:${port}`, whole, TIMEOUT_MILLISECONDS);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }
}

function refused(what: string, answer: McaAnswer): IotmanoError {
  return new IotmanoError(
    'unavailable',
    `${what} was answered with ${answer.rsc}: ${JSON.stringify(answer.content).slice(0, 200)}`,
  );
}
