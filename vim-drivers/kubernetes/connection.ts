import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { IotmanoError, messageOf } from '../../kernel/index.ts';

export type KubernetesConnection =
  | { readonly type: 'in-cluster' }
  | { readonly type: 'kubeconfig'; readonly text: string; readonly context?: string }
  | {
      readonly type: 'server';
      /** URL of the API server. */
      readonly server: string;
      /** PEM texts. */
      readonly ca?: string;
      readonly skipVerification?: boolean;
      readonly token?: string;
      readonly certificate?: string;
      readonly key?: string;
    };

/**
 * What the SDK needs to know to reach a cluster. Makes no call.
 * @throws IotmanoError `invalid-parameter` for what cannot be a connection, naming the part
 */
export function openConnection(connection: KubernetesConnection): KubeConfig {
  const config = loadConfig(connection);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined)
    throw refused('it names no cluster; give a context of the kubeconfig that names one');
  if (!URL.canParse(server) || new URL(server).protocol !== 'https:')
    throw refused(`the server ${JSON.stringify(server)} must be an https URL`);
  if (connection.type === 'kubeconfig') demandSelfContained(config);
  return config;
}

function loadConfig(connection: KubernetesConnection): KubeConfig {
  const config = new KubeConfig();
  if (connection.type === 'in-cluster') {
    if (process.env['KUBERNETES_SERVICE_HOST'] === undefined)
      throw refused('this program does not run in a cluster; give a kubeconfig or a server');
    config.loadFromCluster();
  } else if (connection.type === 'kubeconfig') {
    loadText(config, connection.text, connection.context);
  } else {
    config.loadFromClusterAndUser(clusterOf(connection), userOf(connection));
  }
  return config;
}

function loadText(config: KubeConfig, text: string, context: string | undefined): void {
  const content = parseText(text);
  demandNoTokenFile(content);
  try {
    // What was looked at is what is loaded, however another reader would have understood the text.
    config.loadFromString(JSON.stringify(content));
  } catch (error) {
    throw unreadable(error);
  }
  if (context === undefined) return;
  if (config.getContextObject(context) === null)
    throw refused(
      `the kubeconfig has no context ${JSON.stringify(context)}; it has ${config
        .getContexts()
        .map(({ name }) => JSON.stringify(name))
        .join(', ')}`,
    );
  config.setCurrentContext(context);
}

type ServerConnection = Extract<KubernetesConnection, { type: 'server' }>;

function clusterOf({ server, ca, skipVerification }: ServerConnection) {
  return {
    name: 'cluster',
    server,
    skipTLSVerify: skipVerification ?? false,
    ...(ca === undefined ? {} : { caData: base64(ca) }),
  };
}

function userOf({ token, certificate, key }: ServerConnection) {
  return {
    name: 'user',
    ...(token === undefined ? {} : { token }),
    ...(certificate === undefined ? {} : { certData: base64(certificate) }),
    ...(key === undefined ? {} : { keyData: base64(key) }),
  };
}

function parseText(text: string): unknown {
  try {
    // Without the line that is wrong: it may hold a secret.
    return parse(text, { logLevel: 'error', prettyErrors: false }) as unknown;
  } catch (error) {
    throw unreadable(error);
  }
}

/** The SDK reads such a file as soon as it loads the text, of whichever user it is, and keeps nothing that tells of it. */
function demandNoTokenFile(content: unknown): void {
  const { users } = (content ?? {}) as { readonly users?: unknown };
  const all = (Array.isArray(users) ? users : []) as readonly ({
    readonly user?: Readonly<Record<string, unknown>> | null;
  } | null)[];
  if (all.some((one) => one?.user?.['token-file'] !== undefined)) throw referring('users.user.token-file');
}

/** A kubeconfig that somebody hands in must not make this program run commands or read files of its machine. */
function demandSelfContained(config: KubeConfig): void {
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (user === null) throw refused('the context of the kubeconfig names no user that is in it');
  const parts: readonly (readonly [string, unknown])[] = [
    ['users.user.exec', user.exec],
    ['users.user.auth-provider', user.authProvider],
    ['users.user.client-certificate', user.certFile],
    ['users.user.client-key', user.keyFile],
    ['clusters.cluster.certificate-authority', cluster?.caFile],
  ];
  const outside = parts.find(([, value]) => value !== undefined && value !== null);
  if (outside !== undefined) throw referring(outside[0]);
}

function referring(part: string): IotmanoError {
  return refused(
    `the kubeconfig has ${part}, which refers to this machine; put certificates (…-data) or a token into it instead`,
  );
}

function unreadable(error: unknown): IotmanoError {
  return refused(`the kubeconfig cannot be read: ${messageOf(error)}`);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function refused(what: string): IotmanoError {
  return new IotmanoError('invalid-parameter', `the connection to Kubernetes cannot be used: ${what}`);
}
