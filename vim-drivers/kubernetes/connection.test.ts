import { describe, expect, it } from 'vitest';
import { openConnection } from './connection.ts';

const kubeconfig = (user: string, cluster = ''): string => `
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://192.0.2.1:6443"${cluster}}}]
users: [{name: u, user: {${user}}}]
contexts: [{name: one, context: {cluster: c, user: u}}, {name: two, context: {cluster: c, user: nobody}}]
current-context: one
`;

describe('a connection', () => {
  it('may be a kubeconfig with a token or certificates in it, and one of its contexts', () => {
    const config = openConnection({ type: 'kubeconfig', text: kubeconfig('token: t'), context: 'one' });
    expect(config.getCurrentCluster()?.server).toBe('https://192.0.2.1:6443');
  });

  it('may be a server with a token', () => {
    const config = openConnection({ type: 'server', server: 'https://192.0.2.1', token: 't', ca: 'PEM' });
    expect(config.getCurrentUser()?.token).toBe('t');
    expect(config.getCurrentCluster()?.caData).toBe(Buffer.from('PEM').toString('base64'));
  });

  it.each([
    ['exec: {command: /bin/sh, apiVersion: client.authentication.k8s.io/v1}', '', /users\.user\.exec/],
    ['auth-provider: {name: gcp}', '', /auth-provider/],
    ['client-certificate: /etc/shadow', '', /client-certificate/],
    ['client-key: /etc/shadow', '', /client-key/],
    ['token-file: /etc/passwd', '', /token-file/],
    ['token: t', ', certificate-authority: /etc/passwd', /certificate-authority/],
  ])('never runs commands or reads files of this machine: %s', (user, cluster, message) => {
    expect(() => openConnection({ type: 'kubeconfig', text: kubeconfig(user, cluster) })).toThrow(message);
  });

  it('never reads the token file of a user that its context does not name', () => {
    const text = kubeconfig('token: t').replace(
      'users: [',
      'users: [{name: nobody, user: {token-file: /etc/passwd}}, ',
    );
    expect(() => openConnection({ type: 'kubeconfig', text })).toThrow(/token-file/);
  });

  it('is not quoted when it cannot be read, for it holds secrets', () => {
    const text = kubeconfig('token: my-secret, : ]');
    expect(() => openConnection({ type: 'kubeconfig', text })).toThrow(/^(?!.*my-secret).*cannot be read/s);
  });

  it.each([
    [{ type: 'kubeconfig', text: ': not yaml: [' }, /cannot be read/],
    [{ type: 'kubeconfig', text: 'just text' }, /cannot be|names no cluster/],
    [
      { type: 'kubeconfig', text: kubeconfig('token: t'), context: 'three' },
      /no context "three"; it has "one", "two"/,
    ],
    [{ type: 'kubeconfig', text: kubeconfig('token: t'), context: 'two' }, /names no user/],
    [{ type: 'server', server: 'http://192.0.2.1' }, /must be an https URL/],
    [{ type: 'server', server: 'nonsense' }, /must be an https URL/],
    [{ type: 'in-cluster' }, /does not run in a cluster/],
  ] as const)('that cannot be one is refused, and the message says why: %j', (connection, message) => {
    expect(() => openConnection(connection)).toThrow(message);
  });
});
