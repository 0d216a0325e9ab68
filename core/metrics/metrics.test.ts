import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

describe('the metrics of a process', () => {
  it('count what happened, under names that begin with switchboard_', async () => {
    const metrics = createMetrics();
    metrics.eventAppended('mail', 'human');
    metrics.triggersWritten(3);
    metrics.activationStarted(0.02);
    metrics.activationStarted();
    metrics.activationEnded('replied', 0.2);
    metrics.deliveryAttempted('mail', 'delivered');
    metrics.deliveryAttempted('mail', 'delivered');
    metrics.leaseLost('delivery');
    metrics.installationRefused('slack');
    metrics.requestAnswered('GET', 200, 0.01);
    const page = await metrics.page();
    const lines = page.split('\n').filter((line) => line.startsWith('switchboard_') && !line.endsWith(' 0'));
    expect(lines).toEqual(
      expect.arrayContaining([
        'switchboard_events_total{stream_kind="mail",source_kind="human"} 1',
        'switchboard_triggers_total 3',
        'switchboard_activations_started_total 2',
        'switchboard_activation_wait_seconds_bucket{le="0.025"} 1',
        'switchboard_activation_wait_seconds_count 1',
        'switchboard_activations_ended_total{outcome="replied"} 1',
        'switchboard_activation_seconds_sum 0.2',
        'switchboard_deliveries_total{binding_kind="mail",outcome="delivered"} 2',
        'switchboard_leases_lost_total{kind="delivery"} 1',
        'switchboard_refused_installations_total{binding_kind="slack"} 1',
        'switchboard_http_request_seconds_count{method="GET",status="200"} 1',
      ]),
    );
  });

  it('include memory, event loop lag and, on Linux, file descriptors', async () => {
    const page = await createMetrics().page();
    expect(page).toMatch(/^process_resident_memory_bytes \d+/m);
    expect(page).toMatch(/^nodejs_eventloop_lag_seconds /m);
    if (process.platform === 'linux') expect(page).toMatch(/^process_open_fds \d+/m);
  });

  it('are not shared between two cores in one process', async () => {
    const one = createMetrics();
    const other = createMetrics();
    one.triggersWritten(1);
    expect(await one.page()).toContain('switchboard_triggers_total 1');
    expect(await other.page()).toContain('switchboard_triggers_total 0');
  });
});

describe('waiting lanes', () => {
  it('are counted at each reading', async () => {
    const metrics = createMetrics();
    let activation = 3;
    metrics.countLanesBy(async () => ({ activation: activation++, delivery: 1 }));
    expect(await metrics.page()).toContain('switchboard_lanes_waiting{kind="activation"} 3');
    expect(await metrics.page()).toContain('switchboard_lanes_waiting{kind="activation"} 4');
    expect(await metrics.page()).toContain('switchboard_lanes_waiting{kind="delivery"} 1');
  });

  it('have no number while nobody can count them, and the page is still there', async () => {
    const metrics = createMetrics();
    metrics.countLanesBy(async () => ({ activation: 1, delivery: 1 }));
    await metrics.page();
    metrics.countLanesBy(() => Promise.reject(new Error('database down')));
    const page = await metrics.page();
    expect(page).not.toMatch(/^switchboard_lanes_waiting{/m);
    expect(page).toContain('switchboard_triggers_total 0');
  });
});
