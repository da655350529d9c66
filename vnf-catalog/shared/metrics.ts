/**
 * Counters, gauges and histograms in the Prometheus text format. Written out by hand: what the functions need of it is
 * small, and every megabyte of a library is paid once per function on an edge host.
 */
export interface Counter {
  add(labels?: Readonly<Record<string, string>>, amount?: number): void;
}

export interface Histogram {
  observe(seconds: number): void;
}

export interface MetricsRegistry {
  counter(name: string, help: string): Counter;
  histogram(name: string, help: string): Histogram;
  /** Read when scraped. */
  gauge(name: string, help: string, read: () => number): void;
  /** Lines that somebody else already wrote, read when scraped. */
  text(read: () => string): void;
  render(): string;
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createMetrics(): MetricsRegistry {
  const sections: (() => string)[] = [];
  const head = (name: string, type: string, help: string): string =>
    `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  return {
    counter(name, help) {
      const values = new Map<string, number>([]);
      sections.push(
        () =>
          head(name, 'counter', help) +
          [...values].map(([labels, value]) => `${name}${labels} ${value}\n`).join(''),
      );
      return {
        add(labels, amount = 1) {
          const key = labels === undefined ? '' : renderLabels(labels);
          values.set(key, (values.get(key) ?? 0) + amount);
        },
      };
    },
    histogram(name, help) {
      const counts = BUCKETS.map(() => 0);
      let count = 0;
      let sum = 0;
      sections.push(() => {
        const buckets = BUCKETS.map(
          (bound, index) => `${name}_bucket{le="${bound}"} ${counts[index] ?? 0}\n`,
        );
        const rest = `${name}_bucket{le="+Inf"} ${count}\n${name}_sum ${sum}\n${name}_count ${count}\n`;
        return head(name, 'histogram', help) + buckets.join('') + rest;
      });
      return {
        observe(seconds) {
          count += 1;
          sum += seconds;
          BUCKETS.forEach((bound, index) => {
            if (seconds <= bound) counts[index] = (counts[index] ?? 0) + 1;
          });
        },
      };
    },
    gauge(name, help, read) {
      sections.push(() => `${head(name, 'gauge', help)}${name} ${read()}\n`);
    },
    text(read) {
      sections.push(read);
    },
    render: () => sections.map((section) => section()).join(''),
  };
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/["\\\n]/g, '_')}"`);
  return `{${pairs.join(',')}}`;
}
