package lno
