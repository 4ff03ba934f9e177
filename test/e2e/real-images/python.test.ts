import { judgeRealImage } from './cases.ts';

judgeRealImage('python');
