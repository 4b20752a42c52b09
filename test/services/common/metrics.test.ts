import { expect, test } from 'vitest';
import { createMetrics } from '../../../services/common/metrics.ts';

test('writes the text format of Prometheus', () => {
  const metrics = createMetrics();
  const requests = metrics.counter('requests_total', 'Requests.');
  requests.add({ route: '/', status: '200' });
  requests.add({ route: '/', status: '200' }, 2);
  requests.add({ route: 'a "quoted"\\\n', status: '500' });
  const durations = metrics.histogram('seconds', 'Durations.', [0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.5, 5]) durations.observe({ route: '/' }, seconds);
  metrics.gauge('up', 'Up.', () => [{ labels: {}, value: 1 }]);

  expect(metrics.render()).toBe(
    [
      '# HELP requests_total Requests.',
      '# TYPE requests_total counter',
      'requests_total{route="/",status="200"} 3',
      'requests_total{route="a \\"quoted\\"\\\\\\n",status="500"} 1',
      '# HELP seconds Durations.',
      '# TYPE seconds histogram',
      'seconds_bucket{route="/",le="0.1"} 2',
      'seconds_bucket{route="/",le="1"} 3',
      'seconds_bucket{route="/",le="+Inf"} 4',
      'seconds_sum{route="/"} 5.65',
      'seconds_count{route="/"} 4',
      '# HELP up Up.',
      '# TYPE up gauge',
      'up 1',
      '',
    ].join('\n'),
  );
});
