import { expect, test } from 'vitest';
import { buildWithDocker, OutOfMemoryFailure } from '../../../src/tools/docker/build.ts';
import { makeHost } from '../../fakes/host.ts';

const wanted = { context: '/src/board', dockerfile: '/src/board/Dockerfile', image: 'wealist.local/board:1' };
const run = () => ({
  env: { DOCKER_HOST: 'unix:///s' },
  signal: new AbortController().signal,
  report: () => {},
});

test('with BuildKit, for this engine', async () => {
  const { exec, calls } = await makeHost({
    programs: { docker: 'echo "$DOCKER_HOST $DOCKER_BUILDKIT" >>$ROOT/calls' },
  });
  await buildWithDocker(
    exec,
    { program: 'docker', buildKit: true },
    { ...wanted, labels: { of: 'wealist' } },
    run(),
  );
  expect(await calls()).toEqual([
    'docker build --progress=plain --file=/src/board/Dockerfile --tag=wealist.local/board:1 --label=of=wealist -- /src/board',
    'unix:///s 1',
  ]);
});

test('without BuildKit, which is disabled in the client', async () => {
  const { exec, calls } = await makeHost({ programs: { docker: 'echo "$DOCKER_BUILDKIT" >>$ROOT/calls' } });
  await buildWithDocker(exec, { program: 'docker', buildKit: false }, wanted, run());
  expect(await calls()).toEqual([expect.not.stringContaining('--progress'), '0']);
});

test('a failed build reports its last 30 lines, of both outputs', async () => {
  const script =
    'i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo "line $i"; done; echo "COPY nope: not found" >&2; exit 1';
  const { exec } = await makeHost({ programs: { docker: script } });
  const reports: string[] = [];
  const options = { ...run(), report: (line: string) => reports.push(line) };
  const failure = await buildWithDocker(exec, { program: 'docker', buildKit: true }, wanted, options).catch(
    (error: unknown) => error as { readonly cause: string },
  );
  expect(failure).toMatchObject({
    message: 'wealist.local/board:1 was not built from /src/board/Dockerfile',
    exitCode: 7,
    hint: expect.stringMatching(/^docker build /),
  });
  const lines = String(failure?.cause).split('\n');
  expect(lines).toHaveLength(30);
  expect(lines).toContain('COPY nope: not found');
  expect(lines).not.toContain('line 20');
  expect(reports).toHaveLength(51);
});

test.each([
  'ERROR: failed to solve: process "/bin/sh -c gradle build" did not complete successfully: exit code: 137',
  "The command '/bin/sh -c go build' returned a non-zero code: 137",
  'compile: signal: killed',
  'java.lang.OutOfMemoryError: Java heap space',
])('a build without memory is known as one: %s', async (line) => {
  const { exec } = await makeHost({ programs: { docker: `cat >&2 <<'END'\n${line}\nEND\nexit 1` } });
  const building = buildWithDocker(exec, { program: 'docker', buildKit: true }, wanted, run());
  await expect(building).rejects.toBeInstanceOf(OutOfMemoryFailure);
  await expect(building).rejects.toMatchObject({ hint: expect.stringMatching(/memory/), exitCode: 7 });
});

test('Ctrl-C is not a failed build', async () => {
  const stopping = new AbortController();
  const { exec } = await makeHost({ programs: { docker: 'echo begun; exec sleep 30' } });
  const options = { ...run(), signal: stopping.signal, report: () => stopping.abort(new Error('stop')) };
  const building = buildWithDocker(exec, { program: 'docker', buildKit: true }, wanted, options);
  await expect(building).rejects.toThrow('stop');
});
