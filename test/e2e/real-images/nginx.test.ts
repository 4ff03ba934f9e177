import { judgeRealImage } from './cases.ts';

judgeRealImage('nginx');
