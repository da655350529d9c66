import type { MetricsRegistry } from '../../shared/index.ts';
import { RunningTotals, type ProxyFigures } from './proxy-figures.ts';

/** Metrics of the proxy, from its figures of the last look; none while it does not answer. */
export function reportFigures(metrics: MetricsRegistry, last: () => ProxyFigures | undefined): void {
  const gauge = (name: string, help: string, read: (figures: ProxyFigures) => number): void =>
    metrics.gauge(name, help, () => {
      const figures = last();
      return figures === undefined ? 0 : read(figures);
    });
  gauge('backends_ready', 'Back ends that say that they are ready.', ({ ready }) => ready);
  gauge('connections', 'Connections of devices.', ({ connections }) => connections);
  gauge('requests_under_way', 'Requests that back ends have, or that wait for one.', (f) => f.underWay);
  gauge(
    'response_seconds_mean',
    'Mean of the last 1024 requests, from request to answer.',
    (f) => f.meanSeconds,
  );
  const totals = new RunningTotals();
  metrics.text(() => {
    const figures = last();
    const [requests = 0, retries = 0, ...answers] = totals.add(
      figures === undefined ? [] : [figures.requests, figures.retries, ...figures.answers],
    );
    return [
      '# HELP requests_total Requests of devices.\n# TYPE requests_total counter\n',
      `requests_total ${requests}\n`,
      '# HELP retries_total Requests sent to a back end once more.\n# TYPE retries_total counter\n',
      `retries_total ${retries}\n`,
      '# HELP answers_total Answers, by class of the HTTP status.\n# TYPE answers_total counter\n',
      ...answers.map((count, index) => `answers_total{status="${index + 1}xx"} ${count}\n`),
    ].join('');
  });
}
