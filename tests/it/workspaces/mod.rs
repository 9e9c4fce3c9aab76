mod a2a;
