import { effect } from '@preact/signals';
import { render } from 'preact';
import { connect } from './connection.ts';
import './keys.ts';
import { Doctor } from './pages/doctor.tsx';
import { Forwards } from './pages/forwards.tsx';
import { Logs } from './pages/logs.tsx';
import { Needs } from './pages/needs.tsx';
import { Plan } from './pages/plan.tsx';
import { Runs } from './pages/runs.tsx';
import { Service } from './pages/service.tsx';
import { Services } from './pages/services.tsx';
import { Why } from './pages/why.tsx';
import { Banner } from './parts/banner.tsx';
import { Header, toTitle } from './parts/header.tsx';
import { Help } from './parts/help.tsx';
import { page } from './route.ts';
import { counts, isCurrent, now } from './store.ts';

/** Milliseconds between two updates of the ages. */
const ageInterval = 5_000;

function Page() {
  const { name, service = '' } = page.value;
  switch (name) {
    case 'services':
      return <Services />;
    case 'service':
      return <Service key={service} name={service} />;
    case 'why':
      return <Why />;
    case 'logs':
      return <Logs />;
    case 'needs':
      return <Needs />;
    case 'runs':
      return <Runs />;
    case 'forwards':
      return <Forwards />;
    case 'doctor':
      return <Doctor />;
    case 'plan':
      return <Plan />;
  }
}

function App() {
  return (
    <>
      <Header />
      <Page />
      <Banner />
      <Help />
    </>
  );
}

// A background tab shows what needs attention.
effect(() => {
  const { ready, all } = counts.value;
  const { name, service } = page.value;
  const where = service ?? toTitle(name);
  document.title = isCurrent.value
    ? `${ready}/${all} ${where} · wealist-local`
    : `– ${where} · wealist-local`;
});

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, ageInterval);

const root = document.getElementById('page');
if (root) render(<App />, root);
connect();
