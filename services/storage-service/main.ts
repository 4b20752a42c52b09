import { run } from '../common/run.ts';
import { service } from './service.ts';

run(service);
